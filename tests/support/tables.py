"""The report views of a store, row for row, to hold two stores against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg2.extensions import connection as Connection

_VIEWS: Mapping[str, tuple[str, ...]] = {
    **{f"link_{width}": ("final_at", "updated_at") for width in ("10m", "1h", "1d")},
    **{f"channel_{width}": ("final_at", "updated_at") for width in ("10m", "1h", "1d")},
    "transfer": ("start_ref", "complete_ref"),
    "in_flight": (),
    "dead_letter": ("id", "replayed_at", "died_at", "ref"),
}
"""Each view with the columns that depend on how and when the messages came."""

Tables = dict[str, dict[str, int]]


def tables(connection: Connection) -> Tables:
    """How often each row stands in each view, as text."""
    found: Tables = {}
    with connection, connection.cursor() as cursor:
        for view, exempt in _VIEWS.items():
            cursor.execute(f"SELECT * FROM report.{view}")
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            assert set(exempt) <= set(names), f"report.{view} has other columns: {names}"
            kept = [place for place, name in enumerate(names) if name not in exempt]
            rows: dict[str, int] = {}
            for row in cursor:
                text = str([(names[place], _plain(row[place])) for place in kept])
                rows[text] = rows.get(text, 0) + 1
            found[view] = rows
    return found


def differences(mine: Tables, theirs: Tables) -> Iterator[str]:
    """A sentence for each row that is not in both; none when they are equal."""
    for view in _VIEWS:
        for row in sorted(mine[view].keys() | theirs[view].keys()):
            here, there = mine[view].get(row, 0), theirs[view].get(row, 0)
            if here != there:
                yield f"{view}: {here} times here, {there} times there: {row}"


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
