"""Attempts of one transfer over several days: the store looks no further back than it must, and misses nothing.

``pipeline.store.state`` bounds its search by days. Here its pairs are compared with the rule applied to all messages
at once, for times around midnights and around the minute and the two minutes that the bound is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.ingest import Ingest
from pipeline.store.session import connect
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support import postgres
from tests.support.fts_messages import ABSENT, DAY, HOUR, MINUTE, SECOND, complete_fields, raw, start_fields
from tests.support.literal_pairing import Row, pairs_by_the_rule

pytestmark = pytest.mark.stack

MIDNIGHT = 1_795_305_600_000  # 2026-11-22T00:00:00Z
NEAR_AN_EDGE = [0, -1, 1, *(sign * n * MINUTE + ms for sign in (-1, 1) for n in (1, 2, 3) for ms in (-1, 0, 1))]
INSTANTS = st.builds(
    lambda day, offset: MIDNIGHT + day * DAY + offset,
    st.integers(min_value=0, max_value=4),
    st.one_of(st.sampled_from(NEAR_AN_EDGE), st.sampled_from([HOUR, 12 * HOUR, 23 * HOUR])),
)
AGENTS = st.sampled_from([ABSENT, ABSENT, "g1.example.org", "g2.example.org"])
FILES = st.integers(min_value=1, max_value=2)
Said = tuple[str, dict[str, Any]]

STARTS = st.builds(
    lambda at, file, agent: (FTS_START, {"timestamp": at, "file_id": file, "agent_fqdn": agent}),
    INSTANTS,
    FILES,
    AGENTS,
)
COMPLETES = st.builds(
    lambda begun, ended, file: (
        FTS_COMPLETE,
        {"tr_timestamp_start": begun, "tr_timestamp_complete": ended, "file_id": file},
    ),
    st.one_of(INSTANTS, INSTANTS, st.sampled_from(["", 0])),
    INSTANTS,
    FILES,
)


def identity(said: Said) -> tuple[Any, ...]:
    """What makes two messages of a history copies of one."""
    _, changes = said
    return tuple(changes.get(name) for name in ("timestamp", "agent_fqdn", "file_id", "tr_timestamp_complete"))


HISTORIES = st.lists(st.one_of(STARTS, COMPLETES), min_size=2, max_size=9, unique_by=identity)
jobs = count()


@pytest.fixture(scope="module")
def database(template_url: str) -> Iterator[str]:
    with postgres.copy_of(template_url) as url:
        yield url


@pytest.fixture(scope="module")
def ingest(database: str) -> Iterator[Ingest]:
    with closing(Ingest(database)) as writer:
        yield writer


def messages_of(history: list[Said]) -> list[RawMessage]:
    """Messages of a job that no other example has, so that one database serves all."""
    job = f"job-{next(jobs)}"
    messages = []
    for number, (kind, changes) in enumerate(history):
        name = "transfer_id" if kind == FTS_START else "tr_id"
        fields = start_fields if kind == FTS_START else complete_fields
        own = {"job_id": job, name: f"2026-11-22-0000__a__b__{changes['file_id']}__{job}"}
        messages.append(raw(kind, fields(**changes, **own), None, f"test:{number}", f"{job}:{number}"))
    return messages


def stored(url: str, job: str) -> tuple[set[tuple[Row, Row]], set[Row]]:
    """Pairs and starts in flight, as the tables have them."""
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT (extract(epoch FROM start_at) * 1000)::bigint, start_dedupe,"
            " (extract(epoch FROM ended_at) * 1000)::bigint, dedupe"
            " FROM store.transfer WHERE job_id = %s AND start_at IS NOT NULL",
            (job,),
        )
        pairs = {((row[0], row[1]), (row[2], row[3])) for row in cursor}
        cursor.execute(
            "SELECT (extract(epoch FROM event_at) * 1000)::bigint, dedupe, paired FROM store.start WHERE job_id = %s",
            (job,),
        )
        starts = {(at, dedupe): paired for at, dedupe, paired in cursor}
    flying = {row for row, paired in starts.items() if not paired}
    assert set(starts) - flying == {start for start, _ in pairs}
    return pairs, flying


def check(url: str, ingest: Ingest, messages: list[RawMessage], cuts: list[int]) -> None:
    job = messages[0].identity.partition(":")[0]
    edges = [0, *sorted(cut % (len(messages) + 1) for cut in cuts), len(messages)]
    for begin, end in pairwise(edges):
        if messages[begin:end]:
            ingest.process(messages[begin:end])
    assert stored(url, job) == pairs_by_the_rule(messages)


def start_at(at: int) -> Said:
    return FTS_START, {"timestamp": at, "file_id": 1, "agent_fqdn": ABSENT}


def complete_at(begun: Any, ended: int) -> Said:
    changes = {"tr_timestamp_start": begun, "tr_timestamp_complete": ended, "file_id": 1}
    return FTS_COMPLETE, changes


@given(HISTORIES, st.lists(st.integers(min_value=0, max_value=9), max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Retries days apart; then each start after its complete has arrived.
@example([start_at(MIDNIGHT), start_at(MIDNIGHT + 3 * DAY), complete_at(MIDNIGHT, MIDNIGHT + HOUR)], [1, 2])
@example([complete_at(MIDNIGHT, MIDNIGHT + 3 * DAY), start_at(MIDNIGHT)], [1])
# A complete that takes a start of four days ago, and one from a process start that lies after its end.
@example([start_at(MIDNIGHT), complete_at("", MIDNIGHT + 4 * DAY)], [1])
@example([complete_at(MIDNIGHT + 4 * DAY, MIDNIGHT), start_at(MIDNIGHT + 4 * DAY)], [1])
# A start in the first minute of the day belongs to a complete of the day before, which the search does not find.
@example(
    [
        start_at(MIDNIGHT + 30 * SECOND),
        complete_at(MIDNIGHT - 10 * SECOND, MIDNIGHT - SECOND),
        start_at(MIDNIGHT + 3 * MINUTE),
    ],
    [1, 2],
)
# A start in the first minute of the day loses its complete to a later one.
@example(
    [
        start_at(MIDNIGHT + MINUTE - 1),
        complete_at(MIDNIGHT + MINUTE + 1, MIDNIGHT + HOUR),
        start_at(MIDNIGHT + MINUTE + 1),
    ],
    [2],
)
# The start that is taken over is known only through a complete that reaches back over the bound.
@example(
    [
        start_at(MIDNIGHT - 30 * SECOND),
        complete_at(MIDNIGHT + 30 * SECOND, MIDNIGHT + 3 * DAY),
        start_at(MIDNIGHT + 3 * DAY - HOUR),
    ],
    [1, 2],
)
def test_pairs_over_days_are_those_of_the_rule(
    database: str, ingest: Ingest, history: list[Said], cuts: list[int]
) -> None:
    check(database, ingest, messages_of(history), cuts)
