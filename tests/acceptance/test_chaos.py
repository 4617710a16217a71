"""One run of the fault campaign (``python -m tests.chaos``), which has the others: each takes more than a minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import site
from tests.chaos.faults import impossible
from tests.chaos.run import run
from tests.chaos.schedule import schedule
from tests.chaos.site import Site

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SCALE = 0.1
SEED = 102


@pytest.fixture(scope="module")
def chaos_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack of these tests' own: it has two brokers, and proxies before all of it."""
    with site.opened(tmp_path_factory.mktemp("chaos")) as opened:
        yield opened


def test_random_faults_lose_and_double_nothing(chaos_site: Site, tmp_path: Path) -> None:
    planned = schedule(SEED, SCALE).without(impossible(chaos_site))
    outcome = run(chaos_site, planned, tmp_path)
    assert outcome.trouble == "", planned
    assert outcome.verdict is not None
    assert outcome.verdict.told == (), planned
    # How soon messages move again says too much about the machine here; the campaign's table has it.
    assert len(outcome.played) == len(planned.steps)
