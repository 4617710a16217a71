"""Lines of the outbox: what is written stands for exactly the rows that were given, in one array a column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from pipeline.store import outbox
from pipeline.store.session import Cursor
from schemas.times import MAX_MS
from schemas.topics import ALERTS, DEAD_LETTERS, TRANSFERS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BIGINT = st.integers(-(2**63), 2**63 - 1)
KEYS = st.lists(st.tuples(st.integers(0, MAX_MS), BIGINT), max_size=50)


class Written:
    """A cursor that keeps the values of each INSERT."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, list[str], list[str]]] = []

    def execute(self, statement: str, values: tuple[Any, ...]) -> None:
        assert statement.count("%s") == len(values)
        topic, ended_at, keys = values
        self.lines.append((topic, elements(ended_at), elements(keys)))


def elements(array: str) -> list[str]:
    """The elements of an array of Postgres whose texts need no quotes."""
    assert (array[0], array[-1]) == ("{", "}")
    assert not set(array[1:-1]) & set('{}"\\')
    return array[1:-1].split(",") if array != "{}" else []


def written(topic: str, rows: list[Any]) -> list[tuple[str, list[str], list[str]]]:
    cursor = Written()
    if topic == TRANSFERS:
        outbox.add_transfers(cast(Cursor, cursor), iter(rows))
    else:
        outbox.add_rows(cast(Cursor, cursor), topic, rows)
    return cursor.lines


@given(KEYS)
def test_a_batch_of_transfers_is_one_line_with_a_time_for_each_hash(rows: list[tuple[int, int]]) -> None:
    lines = written(TRANSFERS, rows)
    if not rows:
        assert lines == []
        return
    ((topic, ended_at, keys),) = lines
    assert topic == TRANSFERS
    back = [(datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1) for text in ended_at]
    assert list(zip(back, map(int, keys), strict=True)) == rows


@given(st.sampled_from([DEAD_LETTERS, ALERTS]), st.lists(st.integers(1, 2**63 - 1), max_size=50))
def test_rows_with_a_number_have_no_times(topic: str, rows: list[int]) -> None:
    lines = written(topic, rows)
    assert lines == ([(topic, [], [str(number) for number in rows])] if rows else [])
