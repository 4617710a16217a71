"""The unit of work: one batch of messages, one Postgres transaction."""

from pipeline.ingest.ingest import BatchResult, Ingest

__all__ = ["BatchResult", "Ingest"]
