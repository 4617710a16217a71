"""The read side: one layer that answers over the ``report`` views, for the shell now and for the API."""
