"""Windows held column by column give the rows that SQL gives, in its order, whatever changes between two questions."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from pipeline.ingest import Ingest
from pipeline.stages.finality import GRACE_MS, Watermark
from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.columnar import answers, blocks
from pipeline.store.columnar.blocks import Blocks
from pipeline.store.finality import Passes
from pipeline.store.queries.answer import answer, columns_of, page
from pipeline.store.queries.question import Order, Question, parse_condition
from pipeline.store.queries.reports import CHANNELS, LINKS
from pipeline.store.session import connect
from schemas.topics import FTS_TRANSFER
from tests.support import postgres
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE
from tests.support.three_days import FINAL_UNTIL, MIDNIGHT, SPAN, filled, message

pytestmark = pytest.mark.stack

LINK_GROUPS = [
    ("technology",),
    ("technology", "vo"),
    ("technology", "src_host", "dst_host"),
    ("technology", "fts", "channel", "src_site", "dst_country"),
    ("window_start", "technology"),
    ("technology", "window_start", "vo", "channel"),
]
CHANNEL_GROUPS = [("technology", "fts", "channel"), ("technology", "vo"), ("window_start", "technology", "channel")]
FILTERS: list[tuple[str, ...]] = [(), (), ("vo=atlas",), ("vo!=cms", "channel~*1*"), ("channel=",), ("vo=nobody",)]
SORTED = ["-bytes", "failed", "-efficiency", "efficiency", "-throughput", "final_at", "-updated_at", "-vo", "stale"]


@pytest.fixture(scope="module")
def store(template_url: str) -> Iterator[Connection]:
    with postgres.copy_of(template_url) as url:
        filled(url)
        with closing(connect(url)) as connection:
            yield connection


@pytest.fixture(autouse=True)
def no_short_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """All links of these stores are few: blocks answer nevertheless."""
    monkeypatch.setattr(answers, "FEW_LINKS", 0)


def some_question(chance: random.Random) -> Question:
    report = chance.choice([LINKS, LINKS, CHANNELS])
    ends = sorted(MIDNIGHT - 6 * HOUR + chance.randrange(SPAN + 12 * HOUR) for _ in range(2))
    by = chance.choice(LINK_GROUPS if report is LINKS else CHANNEL_GROUPS)
    narrowest = "10m" if ends[1] - ends[0] < 2 * DAY else "1h"
    return Question(
        report=report,
        now_ms=chance.choice([MIDNIGHT + SPAN, ends[1], ends[1] - 7 * MINUTE - 123]),
        from_ms=ends[0],
        to_ms=ends[1] + HOUR,
        width=chance.choice([narrowest, "1h", "1d"]),
        by=by,
        where=tuple(parse_condition(report, each, MIDNIGHT) for each in chance.choice(FILTERS)),
    )


def by_order(question: Question, chance: random.Random) -> Question:
    """The question sorted by something, in an order that tells all rows apart."""
    names = [column.name for column in columns_of(question)]
    first = [each for each in SORTED if each.lstrip("-") in names]
    chosen = chance.choice(first)
    order = [Order(chosen.lstrip("-"), chosen.startswith("-"))]
    order += [Order(name, chance.random() < 0.5) for name in question.by if name != order[0].column]
    return replace(question, order=tuple(order))


def same_answers(connection: Connection, held: Blocks, question: Question) -> list[Sequence[Any]]:
    expected, found = answer(connection, question), answer(connection, question, held)
    assert found.columns == expected.columns
    rows = [tuple(row) for row in found.rows]
    assert rows == [tuple(row) for row in expected.rows]
    assert (found.from_ms, found.to_ms, found.has_more) == (expected.from_ms, expected.to_ms, expected.has_more)
    return list(rows)


@pytest.fixture(scope="module")
def held() -> Blocks:
    return Blocks()


@pytest.mark.parametrize("seed", range(40))
def test_blocks_answer_as_sql_does(store: Connection, held: Blocks, seed: int) -> None:
    chance = random.Random(seed)
    question = some_question(chance)
    rows = same_answers(store, held, question)
    same_answers(store, held, by_order(question, chance))
    same_answers(store, held, replace(question, limit=chance.randrange(1, len(rows) + 2)))


@pytest.mark.parametrize("seed", range(12))
def test_pages_follow_each_other_as_those_of_sql(store: Connection, held: Blocks, seed: int) -> None:
    chance = random.Random(seed)
    question = replace(by_order(some_question(chance), chance), limit=7)
    names = [column.name for column in columns_of(question)]
    after: tuple[object, ...] | None = None
    for _ in range(100):
        expected, found = page(store, question, after), page(store, question, after, held)
        rows = list(found.rows)
        assert rows == [tuple(row) for row in expected.rows]
        assert found.has_more == expected.has_more
        if not found.has_more:
            return
        after = tuple(rows[-1][names.index(each.column)] for each in question.order)
    raise AssertionError("the pages have no end")


def test_behind_a_name_that_is_gone_come_those_that_would_have_followed(store: Connection, held: Blocks) -> None:
    for descending in (False, True):
        question = Question(
            report=LINKS,
            now_ms=MIDNIGHT + SPAN,
            from_ms=MIDNIGHT,
            to_ms=MIDNIGHT + DAY,
            by=("technology", "vo"),
            order=(Order("vo", descending), Order("technology", False)),
            limit=10,
        )
        for gone in ("a", "b", "cmt", "z", None):
            after = (gone, "fts")
            expected = [tuple(row) for row in page(store, question, after).rows]
            assert list(page(store, question, after, held).rows) == expected


def test_what_changes_a_window_is_seen_at_once(
    database_url: str, database: Database, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, held = random.Random(2), Blocks()
    read: list[int] = []
    plain = blocks._copied

    def counted(cursor: Any, width: str, starts: Sequence[int]) -> Any:
        read.extend(starts)
        return plain(cursor, width, starts)

    monkeypatch.setattr(blocks, "_copied", counted)
    passes = Passes(database_url)
    questions = [
        Question(
            report=LINKS,
            now_ms=MIDNIGHT + DAY,
            from_ms=MIDNIGHT + 3 * HOUR + 10 * MINUTE,
            to_ms=MIDNIGHT + 20 * HOUR,
            width="10m",
            by=by,
        )
        for by in LINK_GROUPS
    ]
    with closing(connect(database_url)) as connection:

        def look() -> list[list[Sequence[Any]]]:
            return [same_answers(connection, held, question) for question in questions]

        ingest.process([message(chance, number, MIDNIGHT + number * 20 * MINUTE) for number in range(60)])
        waiting = look()
        passes.run({FTS_TRANSFER: Watermark(MIDNIGHT + 10 * HOUR + GRACE_MS, "")})
        assert look() != waiting
        read.clear()
        final = look()
        settled = MIDNIGHT + 9 * HOUR
        assert not [start for start in read if start < settled]
        assert [start for start in read if start > settled]

        # A late record of an hour that is final, one more, a pass, and a change of the topology.
        for number in (100, 101):
            before = look()
            ingest.process([message(chance, number, MIDNIGHT + 5 * HOUR + 5 * MINUTE)])
            assert look() != before
        passes.run({FTS_TRANSFER: Watermark(MIDNIGHT + 10 * HOUR + GRACE_MS, "")})
        late = look()
        assert late != final
        database.ask("INSERT INTO store.topology (source, sha256, document) VALUES ('test', 'of no importance', '{}')")
        database.ask("UPDATE store.link_10m SET stale = true")
        database.ask("UPDATE store.link_1h SET stale = true")
        assert look() != late


def test_sums_beyond_64_bits_are_right(database_url: str, database: Database, ingest: Ingest) -> None:
    chance, held = random.Random(3), Blocks()
    ingest.process([message(chance, number, MIDNIGHT + number * MINUTE) for number in range(60)])
    database.ask(f"UPDATE store.link_1h SET bytes = {2**62}")
    question = Question(
        report=LINKS, now_ms=MIDNIGHT + DAY, from_ms=MIDNIGHT, to_ms=MIDNIGHT + 2 * HOUR, width="1h", by=("technology",)
    )
    with closing(connect(database_url)) as connection:
        (row,) = same_answers(connection, held, question)
    names = [column.name for column in columns_of(question)]
    assert row[names.index("bytes")] > 2**63


def test_what_is_kept_has_a_bound_and_answers_stay_right(store: Connection) -> None:
    held = Blocks(most_bytes=20_000)
    for seed in range(20):
        same_answers(store, held, some_question(random.Random(seed)))
    assert 0 < held._bytes <= 20_000
    assert held._bytes == sum(block.size for _, block in held._kept.values())


def test_what_is_put_together_is_asked_for_without_its_parts(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Blocks(most_bytes=0)
    question = Question(
        report=LINKS,
        now_ms=FINAL_UNTIL,
        from_ms=MIDNIGHT,
        to_ms=MIDNIGHT + DAY,
        by=("technology", "vo"),
        width="1h",
    )
    final = replace(question, from_ms=MIDNIGHT + DAY + HOUR, to_ms=MIDNIGHT + DAY + 3 * HOUR)
    first = same_answers(store, held, final)
    assert not held._kept
    read: list[tuple[str, int]] = []

    def reading(cursor: Any, wanted: Sequence[tuple[str, int]]) -> dict[Any, Any]:
        read.extend(wanted)
        return {}

    monkeypatch.setattr(held, "_read", reading)
    assert same_answers(store, held, replace(final, from_ms=final.from_ms and final.from_ms + 1)) == first
    assert not read
    monkeypatch.undo()
    monkeypatch.setattr(answers, "FEW_LINKS", 0)
    monkeypatch.setattr(blocks, "MOST_TOGETHER", 2)
    for hours in range(1, 6):
        same_answers(store, held, replace(question, from_ms=MIDNIGHT - hours * HOUR))
        assert len(held._together) <= 2


def test_questions_that_need_more_than_counters_or_too_many_windows_are_for_sql(store: Connection) -> None:
    held = Blocks()
    usual = Question(
        report=LINKS, now_ms=FINAL_UNTIL, from_ms=MIDNIGHT, to_ms=FINAL_UNTIL, by=("technology",), width="10m"
    )
    beyond = [
        replace(usual, stages=True),
        replace(usual, by=()),
        replace(usual, by=("window_start", "technology"), from_ms=MIDNIGHT - DAY),
        replace(usual, where=(parse_condition(LINKS, "failed>1", MIDNIGHT),)),
        replace(usual, from_ms=None),
    ]
    assert WIDTHS_MS["10m"] * answers.MOST_BLOCKS < FINAL_UNTIL - MIDNIGHT + DAY
    for question in beyond:
        same_answers(store, held, question)
    assert not held._kept
    same_answers(store, held, usual)
    assert held._kept
