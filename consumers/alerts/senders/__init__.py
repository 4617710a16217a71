"""The ways to tell people of alerts: each is a ``Sender`` of ``notify.py``."""
