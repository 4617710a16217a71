"""What is added up from the widest windows is what the narrow ones say; a tag changes whenever they do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from pipeline.ingest import Ingest
from pipeline.stages.finality import GRACE_MS, Watermark
from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.finality import Passes
from pipeline.store.queries.answer import answer
from pipeline.store.queries.marks import mark, not_final
from pipeline.store.queries.question import Question, parse_condition
from pipeline.store.queries.reports import CHANNELS, LINKS
from pipeline.store.session import connect
from schemas.topics import FTS_TRANSFER
from tests.support import postgres
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE
from tests.support.three_days import FINAL_UNTIL, MIDNIGHT, SPAN, filled, message

pytestmark = pytest.mark.stack

COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
GROUPS = [
    ("technology",),
    ("technology", "vo"),
    ("technology", "src_host", "dst_host"),
    ("technology", "fts", "channel", "src_site", "dst_country"),
]
FILTERS: list[tuple[str, ...]] = [(), ("vo=atlas",), ("vo!=cms", "src_host~*1*"), ("channel=",), ("vo=nobody",)]


@pytest.fixture(scope="module")
def store(template_url: str) -> Iterator[Connection]:
    with postgres.copy_of(template_url) as url:
        filled(url)
        with closing(connect(url)) as connection:
            yield connection


def narrow(connection: Connection, question: Question, where: tuple[str, ...]) -> dict[tuple[Any, ...], list[Any]]:
    """The sums of the windows of the asked width alone: what they were before wider ones were taken."""
    clauses = {
        "vo=atlas": "vo = 'atlas'",
        "vo!=cms": "vo <> 'cms'",
        "src_host~*1*": "src_host LIKE '%1%'",
        "channel=": "channel IS NULL",
        "vo=nobody": "vo = 'nobody'",
    }
    assert question.from_ms is not None
    assert question.to_ms is not None
    by = ", ".join(question.by)
    sums = ", ".join(f"sum({name})" for name in COUNTS)
    ranged = " AND ".join(["window_start >= %s", "window_start < %s", *(clauses[each] for each in where)])
    width_ms = WIDTHS_MS[question.width]
    begin = question.from_ms // width_ms * width_ms
    end = -(-question.to_ms // width_ms) * width_ms
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {by}, {sums}, count(DISTINCT (src_host, dst_host)), bool_and(final_at IS NOT NULL),"
            f" bool_or(stale), sum(streaming_count), sum(throughput_sum) FROM report.link_{question.width}"
            f" WHERE {ranged.replace('%1%', '%%1%%')} GROUP BY {by}",
            (datetime.fromtimestamp(begin / 1000, UTC), datetime.fromtimestamp(end / 1000, UTC)),
        )
        groups = len(question.by)
        return {row[:groups]: list(row[groups:]) for row in cursor.fetchall()}


def asked(connection: Connection, question: Question) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = answer(connection, question)
    names = [column.name for column in found.columns]
    rows = [dict(zip(names, row, strict=True)) for row in found.rows]
    return {tuple(row[name] for name in question.by): row for row in rows}


@pytest.mark.parametrize("seed", range(40))
def test_sums_over_a_range_are_those_of_its_windows(store: Connection, seed: int) -> None:
    chance = random.Random(seed)
    ends = sorted(MIDNIGHT - 6 * HOUR + chance.randrange(SPAN + 12 * HOUR) for _ in range(2))
    if seed % 3 == 0:
        ends = [each - each % HOUR for each in ends]
    by, where = GROUPS[seed % len(GROUPS)], FILTERS[chance.randrange(len(FILTERS))]
    report = CHANNELS if "src_host" not in str((by, where)) and "site" not in str(by) and seed % 2 else LINKS
    question = Question(
        report=report,
        now_ms=MIDNIGHT + SPAN,
        from_ms=ends[0],
        to_ms=ends[1] + HOUR,
        width=chance.choice(list(WIDTHS_MS)),
        by=by,
        where=tuple(parse_condition(report, each, MIDNIGHT) for each in where),
        stages=report is LINKS,
    )
    expected = narrow(store, question, where)
    found = asked(store, question)
    assert found.keys() == expected.keys()
    for key, (*sums, links, is_final, stale, streamed, throughput) in expected.items():
        row = found[key]
        assert [row[name] for name in COUNTS] == sums, key
        assert (row["final_at"] is not None, row["stale"]) == (is_final, stale), key
        if report is CHANNELS:
            assert row["links"] == links
        else:
            assert row["streaming_count"] == streamed
            assert row["throughput_mean"] == (pytest.approx(float(throughput / streamed)) if streamed else None)


def test_the_fixture_has_groups_that_are_final_and_that_are_not(store: Connection) -> None:
    question = Question(
        report=LINKS, now_ms=MIDNIGHT + SPAN, from_ms=MIDNIGHT, to_ms=FINAL_UNTIL + 1, width="10m", by=GROUPS[2]
    )
    assert {row["final_at"] is None for row in asked(store, question).values()} == {True, False}


def test_a_tag_changes_with_each_batch_and_each_pass_and_not_without(
    database_url: str, database: Database, ingest: Ingest
) -> None:
    chance = random.Random(1)
    ingest.process([message(chance, number, MIDNIGHT + number * 20 * MINUTE) for number in range(60)])
    declared, passes = MIDNIGHT + 10 * HOUR, Passes(database_url)
    ranges = [(width, MIDNIGHT - DAY, MIDNIGHT + 2 * DAY) for width in WIDTHS_MS]
    old = ("10m", MIDNIGHT, MIDNIGHT + HOUR)

    def look(connection: Connection) -> list[Any]:
        return [mark(connection, *each) for each in [*ranges, old]]

    with closing(connect(database_url)) as connection:
        waiting = look(connection)
        assert look(connection) == waiting
        passes.run({FTS_TRANSFER: Watermark(declared + GRACE_MS, "")})
        final = look(connection)
        assert [one != other for one, other in zip(waiting, final, strict=True)] == [True] * 4
        for width, begin, end in [*ranges, old]:
            of = mark(connection, width, begin, end)
            open_ = (
                f"SELECT count(*) FROM report.link_{width} WHERE final_at IS NULL AND window_start >= %s"
                " AND window_start < %s"
            )
            bounds = [datetime.fromtimestamp(each / 1000, UTC) for each in (begin, end)]
            assert not_final(connection, width, of) == database.value(open_, bounds)
        # A late record of an hour that is final, then one more, then another pass.
        for number in (100, 101):
            before = look(connection)
            ingest.process([message(chance, number, MIDNIGHT + 5 * MINUTE)])
            after = look(connection)
            assert all(one != other for one, other in zip(before, after, strict=True))
        passes.run({FTS_TRANSFER: Watermark(declared + GRACE_MS, "")})
        assert look(connection)[-1] not in (after[-1], final[-1])
        ingest.process([message(chance, 102, MIDNIGHT + DAY - MINUTE)])
        assert look(connection)[-1] == look(connection)[-1]
        assert mark(connection, *old) == look(connection)[-1]
