"""Where replayed messages go: a sink takes a batch, is done when it returns, and counts what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

from pipeline.cli.settings import Settings
from schemas.envelope import RawMessage

Sink = Callable[[list[RawMessage]], Mapping[str, int]]


@contextmanager
def store_sink(settings: Settings) -> Iterator[Sink]:
    """Does what a worker does with a batch, in one transaction. Raises Unavailable when Postgres is away."""
    from pipeline.ingest import Ingest

    with closing(Ingest(settings.need("database_url"), settings.retention_days)) as ingest:
        yield lambda batch: ingest.process(batch)._asdict()


SINKS: dict[str, Callable[[Settings], AbstractContextManager[Sink]]] = {"store": store_sink}


def open_sink(name: str, settings: Settings) -> AbstractContextManager[Sink]:
    """The sink of that name in SINKS."""
    return SINKS[name](settings)
