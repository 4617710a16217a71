"""``bench ingest`` measures what it says, at the smallest size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.stack


def test_the_figures_of_a_small_run_hang_together(tmp_path: Path) -> None:
    said = Commands({}, tmp_path).json("bench", "ingest", "--messages", 50_000, "--workers", "1")
    figures = {figure["name"]: figure for figure in said["figures"]}
    assert said["settings"]["messages"] == 50_000
    rate = figures["1 worker"]
    assert rate["goal"] == 12_000
    assert rate["reached"] == (rate["value"] >= 12_000)
    for name in ("reading alone, one client", "COPY of finished rows alone"):
        assert figures[name]["value"] > rate["value"], f"{name} does less than the worker"
    worker_us = figures["1 worker: processor time of the workers"]["value"]
    assert 5 < worker_us < 2e6 / rate["value"], "a worker has one event loop and one thread"
    assert figures["1 worker: processor time of their server side"]["value"] > 1
    assert figures["1 worker: most memory of one"]["value"] < 300


def test_workers_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    commands = Commands({}, tmp_path)
    for text in ("0", "two", "1,,2", ""):
        commands("bench", "ingest", "--workers", text, code=2)
        assert "--workers" in commands.err
