"""Nothing fails but the messages themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Commands
from tests.support.publishing import Publisher
from tests.support.traffic import assert_recounted, rough_traffic

pytestmark = pytest.mark.stack

SEED = 11


def test_rough_traffic_gives_the_recounted_tables(transferscope: Commands, tmp_path: Path) -> None:
    messages = rough_traffic(5000, SEED)
    bridge, worker = transferscope.start("bridge"), transferscope.start("worker")
    transferscope.wait_idle()
    with Publisher(messages, transferscope.settings, rate=2000):
        pass
    transferscope.wait_idle()
    worker.end()
    bridge.end()
    assert_recounted(messages, tmp_path, transferscope.settings["TRANSFERSCOPE_DATABASE_URL"], note=f"seed {SEED}")
