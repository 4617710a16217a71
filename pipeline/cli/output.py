"""Answers on stdout: a table for people, CSV and JSON for programs. What is said about them goes to stderr.

Tables have human units and safe text. CSV and JSON have the raw numbers of the ``report`` views: bytes, ms, ISO 8601 in
UTC; none is an empty cell or null.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TextIO

import orjson
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from pipeline.cli.terminal import safe
from pipeline.store.queries.columns import NUMBERS, Column
from pipeline.units import human, iso

FORMATS = ("table", "csv", "json")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HIDDEN = re.compile("[\x7f-\x9f\xad\u0600-\u0605\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def say(text: str) -> None:
    """One line to the user that is not part of the answer."""
    print(safe(text), file=sys.stderr, flush=True)


def write(
    form: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    out: TextIO | None = None,
    drawn: int = 0,
) -> None:
    """The rows in one of FORMATS, on ``out`` (stdout); the last ``drawn`` columns are pictures."""
    out = out or sys.stdout
    if form == "csv":
        _csv(columns, rows, out)
    elif form == "json":
        _json(columns, rows, out)
    elif out.isatty():
        Console(file=out).print(rich_table(columns, rows, drawn))
    else:
        _plain(columns, rows, out)


def write_json(document: object, out: TextIO | None = None) -> None:
    """One JSON document, indented; times as ISO 8601 in UTC."""
    (out or sys.stdout).write(_visible(_dumps(document, orjson.OPT_INDENT_2)) + "\n")


def rich_table(columns: Sequence[Column], rows: Iterable[Sequence[Any]], drawn: int = 0) -> Table:
    """The rows for a terminal. The last ``drawn`` columns are pictures: never broken into several lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        justify: JustifyMethod = "right" if column.kind in NUMBERS else "left"
        table.add_column(column.name, justify=justify, overflow="fold", no_wrap=place >= len(columns) - drawn)
    for row in rows:
        table.add_row(*(Text(cell) for cell in _cells(columns, row)))
    return table


def _plain(columns: Sequence[Column], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    lines = [[column.name for column in columns], *(_cells(columns, row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        cells = (
            cell.rjust(width) if column.kind in NUMBERS else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        out.write("  ".join(cells).rstrip() + "\n")


def _cells(columns: Sequence[Column], row: Sequence[Any]) -> list[str]:
    return [safe(human(_number(value), column.kind)) for value, column in zip(row, columns, strict=True)]


def _csv(columns: Sequence[Column], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\r\n" if not out.isatty() else "\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        cells = [_csv_cell(value) for value in row]
        writer.writerow([safe(cell) for cell in cells] if out.isatty() else cells)


def _csv_cell(value: Any) -> str:
    """Text that a spreadsheet would run as a formula gets a leading ' (OWASP, CSV injection); numbers stay."""
    plain = _raw(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | float):
        return repr(plain)
    text = plain if isinstance(plain, str) else _dumps(plain)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json(columns: Sequence[Column], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    names = [column.name for column in columns]
    separator = "[\n"
    for row in rows:
        out.write(separator + _visible(_dumps({name: _raw(v) for name, v in zip(names, row, strict=True)})))
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _raw(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else _number(value)


def _number(value: Any) -> Any:
    """Sums of bigint come from Postgres as numeric: whole ones are ints again."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _dumps(document: object, option: int = 0) -> str:
    return orjson.dumps(document, default=_default, option=option | orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _default(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return _raw(value) if isinstance(value, datetime | Decimal) else str(value)


def _visible(document: str) -> str:
    """JSON means the same with these as \\uNNNN, and nothing in it can reorder or hide text on a terminal."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
