"""Tables as JSON, CSV and XML: the same values in each. None is null or an empty field, never 0."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson

from pipeline.store.queries.columns import Column, Kind
from pipeline.store.queries.meanings import meaning
from pipeline.units import iso
from pipeline.web.problems import Problem
from pipeline.web.table import Table

JSON, CSV, XML = "application/json", "text/csv; charset=utf-8", "application/xml"
_MEDIA = {"json": "application/json", "csv": "text/csv", "xml": "application/xml"}

EXACT = 2**53
"""Whole numbers from here on are texts in JSON: programs that read doubles would change them."""

UNITS: dict[Kind, str] = {"bytes": "B", "ms": "ms", "rate": "B/s", "percent": "%", "ratio": "1", "count": "1"}
_SUFFIXES: dict[Kind, str] = {"bytes": "_B", "ms": "_ms", "rate": "_B_s", "percent": "_percent"}
XML_ROOT, XML_ROW = "windows", "window"
_BATCH = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def chosen(wanted: str | None, accept: str | None, offered: Sequence[str]) -> str:
    """The format of a reply: what the parameter says, else the best of Accept, else the first offered.

    Raises Problem 406 when Accept allows none of them.
    """
    if wanted is not None:
        return wanted
    if not accept:
        return offered[0]
    ranges = [_weighed(each) for each in accept.split(",")]
    best, weight = offered[0], 0.0
    for form in offered:
        kind = _MEDIA[form]
        fits = [(len(media.strip("*")), q) for media, q in ranges if media in (kind, kind.split("/")[0] + "/*", "*/*")]
        q = max(fits, default=(0, 0.0))[1]  # the most specific range decides
        if q > weight:
            best, weight = form, q
    if weight == 0:
        names = ", ".join(_MEDIA[form] for form in offered)
        raise Problem(406, f"this is given as {names}: accept one of them or write format=")
    return best


def value(found: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(found, datetime):
        return iso(found)
    if isinstance(found, Decimal):
        found = int(found) if found == found.to_integral_value() else float(found)
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) >= EXACT:
        return str(found)
    return found


def json_document(table: Table, meta: Mapping[str, Any], *, objects: bool) -> bytes:
    """{meta, columns, rows}."""
    return "".join(json_lines(table, table.rows, meta, objects=objects)).encode()


def json_lines(about: Table, rows: Iterable[Sequence[Any]], meta: Mapping[str, Any], *, objects: bool) -> Iterator[str]:
    """The same piece by piece, of rows that come one after the other with the columns of ``about``."""
    names = [column.name for column in about.columns]
    columns = [
        {"name": c.name, "type": c.kind, "unit": UNITS.get(c.kind), "meaning": meaning(c.name)} for c in about.columns
    ]
    head = orjson.dumps({"meta": dict(meta), "columns": columns}, default=value).decode()
    yield head[:-1] + ',"rows":['
    between = ""
    for some in _batches(rows):
        written = [[value(cell) for cell in row] for row in some]
        found = [dict(zip(names, row, strict=True)) for row in written] if objects else written
        yield between + orjson.dumps(found, default=value).decode()[1:-1]
        between = ","
    yield "]}"


def csv_lines(columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, raw: bool) -> Iterator[str]:
    """Header and rows by RFC 4180; a text that a spreadsheet would take for a formula begins with ' unless ``raw``."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header(columns))
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(cell, raw) for cell in row])
        if number % _BATCH == 0:
            yield _emptied(buffer)
    yield _emptied(buffer)


def header(columns: Sequence[Column]) -> list[str]:
    """Names with units: throughput_B_s."""
    return [_with_unit(column) for column in columns]


def xml_lines(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One element a row, an attribute a value that is known: ``schema.py`` describes them."""
    names = header(columns)
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{XML_ROOT}>\n'
    for row in rows:
        known = (
            f" {name}={quoteattr(_clean(_text(cell)))}"
            for name, cell in zip(names, row, strict=True)
            if cell is not None
        )
        yield f"<{XML_ROW}{''.join(known)}/>\n"
    yield f"</{XML_ROOT}>\n"


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    each = iter(rows)
    while some := list(islice(each, _BATCH)):
        yield some


def _weighed(media: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in media.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name.lower(), float(parameter[2:])
            except ValueError:
                return name.lower(), 0.0
    return name.lower(), 1.0


def _with_unit(column: Column) -> str:
    suffix = _SUFFIXES.get(column.kind, "")
    return column.name if column.name.startswith("bytes") or column.name.endswith(suffix) else column.name + suffix


def _cell(found: Any, raw: bool) -> str:
    text = _text(found)
    guarded = not raw and isinstance(found, str) and text.startswith(_FORMULA)
    return f"'{text}" if guarded else text


def _text(found: Any) -> str:
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, datetime):
        return iso(found.astimezone(UTC))
    if isinstance(found, Mapping):
        return orjson.dumps(dict(found)).decode()
    if isinstance(found, Decimal):
        return str(int(found)) if found == found.to_integral_value() else str(float(found))
    return str(found)


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot say."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
