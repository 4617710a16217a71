"""The demonstration, as a visitor sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.stack


def test_the_demonstration_ends_with_the_simulators_truth(tmp_path: Path) -> None:
    transferscope = Commands({}, tmp_path)
    said = transferscope("demo", "--messages", "3000", "--seed", "5", "--exit")
    assert "equal to the simulator's truth" in said
    tables = (
        *("Links between sites", "Bytes by technology", "Channels", "Failures by kind", "Queues", "Starts in flight"),
        *("Dead letters by reason", "xrootd-tpc", "CERN-PROD"),
        *("Alerts", "dead-letters", "could not be used"),
    )
    for words in tables:
        assert words in said
    assert list(transferscope.current_folder.iterdir()) == []
