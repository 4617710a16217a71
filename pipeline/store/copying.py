"""Rows as the text that Postgres's COPY reads: the fastest way in, at a few microseconds a row."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime

from psycopg2.extensions import cursor as Cursor

NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_MAX_SECONDS = 100_000
_seconds: dict[int, str] = {}


def moment(ms: int) -> str:
    """A time in ms since the epoch as Postgres reads it."""
    second, rest = divmod(ms, 1000)
    text = _seconds.get(second)
    if text is None:
        if len(_seconds) >= _MAX_SECONDS:
            _seconds.clear()
        text = _seconds[second] = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{rest:03d}+00"


def moment_or_null(ms: int | None) -> str:
    """Like ``moment``; None is NULL."""
    return NULL if ms is None else moment(ms)


def number_or_null(number: int | None) -> str:
    """A whole number; None is NULL."""
    return NULL if number is None else str(number)


def texts(fields: tuple[str, ...]) -> str:
    """Several text fields, tab between them, whatever characters they hold."""
    joined = "\t".join(fields)
    # Nearly no field needs escaping: four scans of the whole are cheaper than one look at each field.
    if joined.count("\t") == len(fields) - 1 and "\\" not in joined and "\n" not in joined and "\r" not in joined:
        return joined
    return "\t".join([field.translate(_ESCAPES) for field in fields])


def copy_rows(cursor: Cursor, table: str, columns: str, rows: Iterable[str]) -> None:
    """COPY finished rows into a table."""
    text = "\n".join(rows)
    if text:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.BytesIO(f"{text}\n".encode()))
