"""What is stored, for ``status``: how far back, how many bytes, how many bytes a million transfers."""

from __future__ import annotations

from typing import Any

from pipeline.cli.output import write
from pipeline.store.queries.columns import Column
from pipeline.store.queries.instants import to_datetime
from pipeline.store.storage import Storage
from pipeline.units import count, moment

_WHAT = {"raw": "single messages", "10m": "10 min windows", "1h": "1 h windows", "1d": "1 d windows"}


def storage_document(stored: Storage) -> dict[str, Any]:
    """For JSON: times as ISO 8601, bytes."""
    return {
        "raw_floor": _time(stored.raw_floor_ms),
        "transfers": stored.transfers,
        "kinds": [
            {
                "kind": kind.kind,
                "partitions": kind.partitions,
                "from": _time(kind.begin_ms),
                "to": _time(kind.end_ms),
                "bytes": kind.bytes,
                "bytes_per_million_transfers": kind.per_million,
            }
            for kind in stored.kinds
        ],
    }


def print_storage(stored: Storage) -> None:
    """A table of the kinds, and the raw floor."""
    columns = [Column("stored", "text"), Column("partitions", "count"), Column("from", "time"), Column("to", "time")]
    columns += [Column("bytes", "bytes"), Column("per million transfers", "bytes")]
    print()
    rows = ([_WHAT[kind.kind], kind.partitions, *map(_time, kind[2:4]), *kind[4:]] for kind in stored.kinds)
    write("table", columns, rows)
    floor = None if stored.raw_floor_ms is None else to_datetime(stored.raw_floor_ms)
    dropped = "none were dropped yet" if floor is None else f"those before {moment(floor)} were dropped"
    print(f"\nabout {count(stored.transfers)} single transfers; {dropped}")


def _time(ms: int | None) -> Any:
    return None if ms is None else to_datetime(ms)
