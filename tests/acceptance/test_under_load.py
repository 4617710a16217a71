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

pytestmark = pytest.mark.stack

SEED = 71
MESSAGES = 8000
RATE = 800


def test_verify_finds_nothing_and_recompute_spoils_nothing_while_workers_write(
    transferscope: Commands, tmp_path: Path
) -> None:
    messages = rough_traffic(MESSAGES, SEED)
    topology = tmp_path / "places.json"
    topology.write_text(json.dumps(PLACES))
    running = [transferscope.start(name) for name in ("bridge", "worker", "worker")]
    transferscope.wait_idle()
    with ThreadPoolExecutor(1) as verifying, Publisher(messages, transferscope.settings, RATE) as publisher:

        def verify_again_and_again() -> list[Any]:
            reports = []
            while publisher.is_publishing:
                reports.append(json.loads(transferscope.run("verify", "--json").out))
            return reports

        verified = verifying.submit(verify_again_and_again)
        publisher.await_published(MESSAGES // 4)
        assert transferscope.json("recompute")["changed"] == 0
        publisher.await_published(MESSAGES // 2)
        assert transferscope.json("topology", "load", topology)["stale"] > 0
        recomputed = []
        while publisher.is_publishing:
            recomputed.append(transferscope.json("recompute")["changed"])
    reports = verified.result()
    transferscope.wait_idle()
    for each in running:
        each.tell_to_end()
    for each in running:
        each.end()

    assert [report["differing"] for report in reports] == [0] * len(reports), f"seed {SEED}"
    assert len({report["cells"] for report in reports}) > 2, "nothing was written meanwhile: the test shows nothing"
    assert recomputed[0] > 0, "the load of a topology changed nothing: the test shows nothing"
    assert recomputed[1:] == [0] * (len(recomputed) - 1), f"seed {SEED}"
    assert_recounted(messages, tmp_path, transferscope.database_url, place_of, f"seed {SEED}")
    assert transferscope.json("verify")["differing"] == 0
