"""Queues of a real broker wander around the limit: the alerts are those of the rule, of the table and of the topic.

``python -m tests.jitter`` is the same for half an hour around 5000.
"""

from __future__ import annotations

from contextlib import closing

import pytest

from consumers.alerts.notify import NOTIFY_EVERY_S
from pipeline.stages.alert_rules import BACKLOG, BROKER_DEAD, EXPIRED, NO_CONSUMER, OLDEST, ORPHAN, Limits
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.jitter import jitter
from tests.support.outsider import changes

pytestmark = pytest.mark.stack

LIMIT = 100
OF_SAMPLES = (BACKLOG, OLDEST, NO_CONSUMER, ORPHAN, EXPIRED, BROKER_DEAD)


@pytest.mark.timeout(400)
def test_a_wandering_queue_gives_exactly_the_alerts_of_the_rule(transferscope: Commands) -> None:
    # An alert lasts for a sample at least. What is over before a channel looks is told to nobody.
    sample_s = 5
    assert sample_s > NOTIFY_EVERY_S
    outcome = jitter(transferscope, seconds=75, limit=LIMIT, sample_s=sample_s, queues=4, seed=1)
    assert not outcome.differences, "\n".join(outcome.differences)
    assert 0 < outcome.cleared <= outcome.raised <= outcome.crossings
    assert max(outcome.raise_told_s + outcome.clear_told_s) < 60

    judged = changes(outcome.documents, Limits(backlog=LIMIT))
    with closing(Database(transferscope.database_url)) as database:
        rows = database.ask(
            "SELECT rule, subject, raised_at, cleared_at FROM report.alert WHERE rule = ANY(%s)", [list(OF_SAMPLES)]
        )
    published = [("raised", rule, subject, raised_at) for rule, subject, raised_at, _ in rows]
    published += [("cleared", rule, subject, cleared_at) for rule, subject, _, cleared_at in rows if cleared_at]
    assert judged == sorted(published), "whoever judges broker-depth raises and clears the same at the same times"
    assert {rule for _, rule, _, _ in judged} >= {BACKLOG, NO_CONSUMER}
