"""Cursors: where the next page begins, as opaque text that fits its own question alone."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from pipeline.store.queries.columns import Column
from pipeline.web.problems import bad_parameter


class Cursor(NamedTuple):
    """The time of the first page, which all pages keep, and the last row's values in the order's columns."""

    now_ms: int
    after: tuple[object, ...]


def fingerprint(query: object) -> str:
    """Short name of a question without its cursor."""
    return blake2b(json.dumps(query, sort_keys=True, default=str).encode(), digest_size=9).hexdigest()


def written(cursor: Cursor, query: object) -> str:
    """The cursor as text."""
    values = [_plain(value) for value in cursor.after]
    content = json.dumps([fingerprint(query), cursor.now_ms, values], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read(text: str, query: object) -> tuple[int, list[object]]:
    """Time and values of a cursor; raises Problem 400 for one that is none, or one of another question."""
    try:
        content = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        name, now_ms, values = json.loads(content)
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise bad_parameter("cursor", "is none of ours: begin without it") from error
    if name != fingerprint(query):
        raise bad_parameter("cursor", "belongs to another question: begin without it, or repeat all other parameters")
    if not isinstance(now_ms, int) or not isinstance(values, list):
        raise bad_parameter("cursor", "is none of ours: begin without it")
    return now_ms, values


def typed(values: Sequence[object], columns: Sequence[Column]) -> tuple[object, ...]:
    """Values out of a cursor as those of these columns; raises Problem 400 when they cannot be."""
    if len(values) != len(columns):
        raise bad_parameter("cursor", "is none of ours: begin without it")
    try:
        return tuple(_value(value, column) for value, column in zip(values, columns, strict=True))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise bad_parameter("cursor", "is none of ours: begin without it") from error


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _value(value: object, column: Column) -> object:
    if value is None:
        return None
    if column.kind == "time":
        return datetime.fromisoformat(str(value))
    if column.kind == "text":
        return str(value)
    if isinstance(value, bool):
        return value
    return Decimal(value) if isinstance(value, str) else float(value) if isinstance(value, float) else int(str(value))
