"""Links are judged by the windows of their last hour and week, in one question, whatever hosts and sites they have."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.store.link_health import Changes, look
from schemas.topics import FTS_COMPLETE
from tests.support.database import Database
from tests.support.fts_messages import HOUR, T, complete_fields, raw

pytestmark = pytest.mark.stack

SUBJECT = "atlas a.x.org → b.y.org"
NOW = T + 9 * 24 * HOUR


def send(ingest: Ingest, number: int, ended_ms: int, state: str, **changes: Any) -> None:
    messages = [
        raw(
            FTS_COMPLETE,
            complete_fields(
                file_id=f"{state}-{ended_ms}-{each}-{changes}",
                tr_timestamp_complete=ended_ms,
                t_final_transfer_state=state,
                **changes,
            ),
            received_ms=ended_ms + 1000,
        )
        for each in range(number)
    ]
    assert ingest.process(messages).stored == number


def test_a_break_is_raised_once_and_cleared_when_it_is_over(
    database_url: str, ingest: Ingest, database: Database
) -> None:
    send(ingest, 150, NOW - 3 * 24 * HOUR, "Ok")
    send(ingest, 40, NOW - 5 * 60_000, "Error")
    send(ingest, 40, NOW - 5 * 60_000, "Error", vo="cms")  # no week to hold it against
    assert look(database_url, ["cms a.x.org → b.y.org"], NOW) == Changes(1, [], [])
    assert look(database_url, [SUBJECT, "nobody x → y"], NOW) == Changes(1, [SUBJECT], [])
    assert look(database_url, [SUBJECT], NOW) == Changes(1, [], [])
    alert = database.ask("SELECT rule, subject, value, threshold, cleared_at IS NULL FROM report.alert")
    assert alert == [("link-health", SUBJECT, 0.0, 1.0, True)]
    # An open alert is looked at although nobody uses the link.
    assert look(database_url, [], NOW + 5 * HOUR) == Changes(1, [], [])
    assert look(database_url, [], NOW + 7 * HOUR) == Changes(1, [], [SUBJECT])
    assert look(database_url, [], NOW + 7 * HOUR) == Changes(0, [], [])
    told = database.ask("SELECT count(*) FROM store.outbox WHERE topic = 'alerts'")
    assert told == [(2,)]


def test_the_week_ends_where_the_hour_begins_and_older_windows_do_not_count(database_url: str, ingest: Ingest) -> None:
    send(ingest, 150, NOW - 8 * 24 * HOUR, "Ok")
    send(ingest, 40, NOW - 5 * 60_000, "Error")
    assert look(database_url, [SUBJECT], NOW) == Changes(1, [], [])
    send(ingest, 150, NOW - 6 * 24 * HOUR, "Ok")
    assert look(database_url, [SUBJECT], NOW) == Changes(1, [SUBJECT], [])
