"""Windows are verified, corrected and rebuilt while they are written."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Commands
from tests.support.places import PLACES, place_of
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

SEED = 71
AT_MOST = 20_000
RATE = 400


def test_verify_finds_nothing_and_recompute_spoils_nothing_while_workers_write(
    transferscope: Commands, tmp_path: Path
) -> None:
    messages = rough_traffic(AT_MOST, SEED)
    topology = tmp_path / "places.json"
    topology.write_text(json.dumps(PLACES))
    running = [transferscope.start(name) for name in ("bridge", "worker", "worker")]
    transferscope.wait_idle()
    reports: list[dict[str, Any]] = []
    with ThreadPoolExecutor(1) as beside, Publisher(messages, transferscope.settings, RATE) as publisher:

        def verify_again_and_again() -> None:
            while publisher.is_publishing:
                reports.append(json.loads(transferscope.run("verify", "--json").out))

        def writing_was_seen() -> bool:
            return len({report["cells"] for report in reports}) > 2

        verifying = beside.submit(verify_again_and_again)
        publisher.await_published(500)
        assert transferscope.json("recompute")["changed"] == 0
        publisher.await_published(2000)
        assert transferscope.json("topology", "load", topology)["stale"] > 0
        changed = [transferscope.json("recompute")["changed"] for _ in range(3)]
        eventually(writing_was_seen, within_s=60)
        publisher.stop()
    verifying.result()
    transferscope.wait_idle()
    for each in running:
        each.tell_to_end()
    for each in running:
        each.end()

    assert [report["differing"] for report in reports] == [0] * len(reports), f"seed {SEED}"
    assert changed[0] > 0, "the load of a topology changed nothing: the test shows nothing"
    assert changed[1:] == [0, 0], f"seed {SEED}"
    published = messages[: publisher.published]
    assert_recounted(published, tmp_path, transferscope.database_url, place_of, f"seed {SEED}")
    assert transferscope.json("verify")["differing"] == 0
