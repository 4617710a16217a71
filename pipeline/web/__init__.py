"""The HTTP side: API and pages, over the questions of ``pipeline.store.queries``."""
