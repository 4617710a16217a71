"""Nothing fails but the messages themselves."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from schemas.deadletters import REASONS
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.hostile import ROW, hostile_messages
from tests.support.oracle import KEPT_OF_TOO_LARGE
from tests.support.places import PLACES, place_of
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic

pytestmark = pytest.mark.stack

SEED = 11
MESSAGES = 4000
NOT_FROM_A_BROKER = {"unknown_kind", "store_refused", "needs_collector"}
"""The reasons that no message on the configured topics can give."""


def test_shuffled_doubled_and_hostile_messages_give_the_recounted_tables(
    transferscope: Commands, tmp_path: Path
) -> None:
    hostile = hostile_messages()
    assert {each.outcome for each in hostile} - {ROW} == set(REASONS) - NOT_FROM_A_BROKER
    messages = [*rough_traffic(MESSAGES, SEED), *(each.message for each in hostile)]
    Random(SEED).shuffle(messages)
    topology = tmp_path / "topology.json"
    topology.write_text(json.dumps(PLACES))
    transferscope("topology", "load", topology)
    bridge, worker = transferscope.start("bridge"), transferscope.start("worker")
    transferscope.wait_idle()
    with Publisher(messages, transferscope.settings, rate=2000):
        pass
    state = transferscope.wait_idle()
    worker.end()
    bridge.end()

    assert_recounted(messages, tmp_path, transferscope.database_url, place_of, f"seed {SEED}")
    with closing(Database(transferscope.database_url)) as database:
        rows = {row[0] for row in database.ask("SELECT file_id FROM report.transfer")}
        rows |= {row[0] for row in database.ask("SELECT file_id FROM report.in_flight")}
        letters = {bytes(body): reason for body, reason in database.ask("SELECT body, reason FROM report.dead_letter")}
        details = [row[0] for row in database.ask("SELECT detail FROM report.dead_letter WHERE reason = 'too_large'")]
    for name, message, outcome, file_id in hostile:
        if outcome == ROW:
            assert file_id in rows, name
        elif outcome != "too_large":
            assert letters[message.body] == outcome, name
        else:
            assert letters[message.body[:KEPT_OF_TOO_LARGE]] == outcome, name
            told = f"{len(message.body)} bytes", hashlib.sha256(message.body).hexdigest()
            assert any(all(word in detail for word in told) for detail in details), name
    assert transferscope.json("verify")["differing"] == 0
    assert state["dead_letters"]["too_large"] == sum(each.outcome == "too_large" for each in hostile)
