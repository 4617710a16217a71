"""Rows as a Parquet file that says what its columns are. The one module that knows pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from pipeline.store.queries.columns import Column, Kind
from pipeline.store.queries.meanings import meaning

ROWS_A_GROUP = 20_000
"""So many rows are held at once; a group of them can be read alone."""

ABOUT = b"transferscope"
"""The key of the file's own metadata: a JSON object."""

_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "count": pa.int64(),
    "bytes": pa.int64(),
    "ms": pa.float64(),
    "rate": pa.float64(),
    "ratio": pa.float64(),
    "time": pa.timestamp("us", tz="UTC"),
    "flag": pa.bool_(),
}
_UNITS: dict[Kind, str] = {"bytes": "B", "ms": "ms", "rate": "B/s", "ratio": "1", "time": "UTC"}


def write_parquet(
    path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Any]], about: Mapping[str, object]
) -> None:
    """Writes a file anew, compressed with zstd.

    ``about`` becomes the file's metadata under ``ABOUT``. Each column has ``kind``, ``unit`` and ``meaning`` as its
    metadata where there are any. Whole numbers are int64, all else that is measured double. Raises OSError.
    """
    schema = schema_of(columns, about)
    remaining = iter(rows)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(remaining, ROWS_A_GROUP)):
            writer.write_table(_table(schema, group))


def schema_of(columns: Iterable[Column], about: Mapping[str, object]) -> pa.Schema:
    """The columns as Parquet has them; raises KeyError for a kind that windows do not have."""
    fields = [pa.field(column.name, _TYPES[column.kind], metadata=_about(column)) for column in columns]
    return pa.schema(fields, metadata={ABOUT: json.dumps(about)})


def _about(column: Column) -> dict[str, str]:
    found = {"kind": column.kind, "unit": _UNITS.get(column.kind), "meaning": meaning(column.name)}
    return {name: said for name, said in found.items() if said}


def _table(schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> pa.Table:
    arrays = [
        pa.array([_plain(row[place], field.type) for row in rows], field.type) for place, field in enumerate(schema)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain(value: Any, kind: pa.DataType) -> Any:
    """Sums come from PostgreSQL as Decimal."""
    if value is None:
        return None
    if pa.types.is_integer(kind):
        return int(value)
    return float(value) if pa.types.is_floating(kind) else value
