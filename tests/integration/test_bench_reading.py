"""``bench reading`` measures what it says, at the smallest size, over windows that hang together."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cli.bench_reading import measure
from pipeline.stages.windows import COUNTERS, WIDTHS_MS
from pipeline.store.session import connect
from pipeline.store.window_filler import DAY_MS, fill_windows
from schemas.events import STAGES
from tests.support.database import Database
from tests.support.postgres import VARIABLE

pytestmark = pytest.mark.stack

NOON_MS = 1_795_310_400_000


def test_the_figures_of_a_small_run_hang_together(database_url: str, tmp_path: Path) -> None:
    with closing(connect(database_url)) as store:
        filled = fill_windows(store, time.time_ns() // 1_000_000, days=1, links=20, sites=200, seed=1)
    assert 20 <= filled.links <= 40, "some pairs have two VOs"
    figures = {figure.name: figure for figure in measure({**os.environ, VARIABLE: database_url}, tmp_path, 3)}
    for name in ("/matrix 24 h by country", "/matrix 30 d by site", "overview page", "304 of /matrix 24 h"):
        p95 = figures[f"{name}: p95"]
        assert 0 < figures[f"{name}: median"].value <= p95.value
        assert p95.goal is not None
        assert p95.reached == (p95.value <= p95.goal)
    assert 1 < figures["overview page: compressed"].value < 400


def test_wider_windows_are_the_sums_of_narrower_ones(database_url: str) -> None:
    with closing(connect(database_url)) as store:
        filled = fill_windows(store, NOON_MS + 1, days=10, links=40, sites=20, seed=3)
    with closing(Database(database_url)) as database:
        for width, rows in filled.windows.items():
            assert database.value(f"SELECT count(*) FROM report.link_{width}") == rows > 0
        sums = ", ".join([*COUNTERS, *(f"{stage}_sum" for stage in STAGES)])
        added = ", ".join(f"sum({name})" for name in sums.split(", "))
        for narrow, wide in (("10m", "1h"), ("1h", "1d")):
            bins = f"date_bin('{WIDTHS_MS[wide]} ms', window_start, 'epoch')"
            differing = database.value(
                f"SELECT count(*) FROM (SELECT {bins} AS at, link_id, {added} FROM store.link_{narrow} GROUP BY 1, 2"
                f" EXCEPT SELECT window_start, link_id, {sums} FROM store.link_{wide}) AS differing"
            )
            assert differing == 0
        days = database.value("SELECT count(DISTINCT window_start) FROM report.link_1d")
        assert days == 11
        newest = database.value("SELECT (extract(epoch FROM max(window_start)) * 1000)::bigint FROM report.link_10m")
        assert NOON_MS - DAY_MS < newest <= NOON_MS
