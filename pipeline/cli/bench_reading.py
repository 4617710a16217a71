"""``bench reading``: API and pages over a month of windows, each request answered anew by the real server."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import click

from pipeline.cli import settings as configuration
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.bench_requests import Client, percentile, timed, timed_unchanged, weight
from pipeline.cli.children import Child
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.progress import Progress
from pipeline.devstack.plan import POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.store import migrations
from pipeline.store.session import connect
from pipeline.store.window_filler import Filled, fill_windows

_UNCHANGED_GOAL_MS = 10.0
_WEIGHT_GOAL_KB = 400.0
_SITES = 200
_STARTED_WITHIN_S = 120.0


class _Asked(NamedTuple):
    """A request and the ms that 95 % of its replies may take."""

    name: str
    path: str
    goal_ms: float | None = None


_SITE_MATRIX = "/api/v1/matrix?rows=site&cols=site"
_ASKED = (
    _Asked("/matrix 24 h by country", "/api/v1/matrix?from=now-24h", 200),
    _Asked("/matrix 24 h by site", f"{_SITE_MATRIX}&from=now-24h", 200),
    _Asked("/matrix 30 d by country", "/api/v1/matrix?from=now-30d", 1000),
    _Asked("/matrix 30 d by site", f"{_SITE_MATRIX}&from=now-30d", 1000),
    _Asked("/links 24 h", "/api/v1/links?from=now-24h"),
    _Asked("/errors 24 h", "/api/v1/errors?from=now-24h"),
)
_PAGES = (
    _Asked("overview page", "/", 1500),
    _Asked("matrix page, 24 h by site", "/matrix?from=now-24h&rows=site&cols=site"),
    _Asked("error page", "/errors"),
)
_UNCHANGED = (
    _Asked("304 of /matrix 24 h", "/api/v1/matrix?from=now-24h"),
    _Asked("304 of /matrix 30 d", "/api/v1/matrix?from=now-30d"),
)


@click.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 365), help="Days of windows.")
@click.option("--links", default=15_000, show_default=True, type=click.IntRange(1, _SITES**2), help="Pairs of hosts.")
@click.option("--requests", default=40, show_default=True, type=click.IntRange(1), help="How many of each kind.")
@click.option("--seed", default=1, show_default=True, help="Of the windows.")
@json_option
def reading(days: int, links: int, requests: int, seed: int, as_json: bool) -> None:
    """Ask the web server for matrices, lists and pages, one request after the other, none from a cache.

    Uses a PostgreSQL of its own, filled with windows of links among 200 sites, and the server as operators run it.

    \b
    Example:
      transferscope bench reading --links 2000 --days 8
    """
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as name:
        folder = Path(name)
        say("starting PostgreSQL")
        with Stack.up(folder / "stack", (POSTGRES,)) as stack:
            environment = {**os.environ, **stack.env()}
            url = configuration.load(None, stack.env()).need("database_url")
            migrations.upgrade(url)
            began = time.perf_counter()
            with closing(connect(url)) as store, Progress("filling windows", "days", days + 1) as progress:
                filled = fill_windows(
                    store,
                    time.time_ns() // 1_000_000,
                    days=days,
                    links=links,
                    sites=_SITES,
                    seed=seed,
                    progress=progress.advance,
                )
            filled_s = time.perf_counter() - began
            figures = measure(environment, folder, requests)
    print_report(
        BenchReport(
            "reading",
            _settings(days, links, requests, seed, filled),
            [*figures, Figure("filling the windows", filled_s, "s")],
        ),
        as_json,
    )


def measure(environment: dict[str, str], folder: Path, requests: int) -> list[Figure]:
    """The figures of a server on the database of ``environment``, which ends with us."""
    with Child(["web", "--port", "0"], environment, folder / "web.log") as server:
        address = server.told("listening on ", _STARTED_WITHIN_S)
        with closing(Client(address)) as client:
            return list(_figures(client, requests))


def _figures(client: Client, requests: int) -> Iterator[Figure]:
    busiest = client.document("/api/v1/links?limit=1&shape=objects")["rows"][0]
    ends = urlencode({side: f"host:{busiest[f'{side}_host']}" for side in ("src", "dst")})
    pages = (*_PAGES, _Asked("link page", f"/links?{ends}"))
    for asked in (*_ASKED, *pages):
        say(f"asking for {asked.name}")
        yield from _times(asked.name, timed(client, asked.path, requests), asked.goal_ms)
    for asked in _UNCHANGED:
        say(f"asking for {asked.name}")
        yield from _times(asked.name, timed_unchanged(client, asked.path, requests), _UNCHANGED_GOAL_MS)
    for asked in pages:
        kilobytes = weight(client, asked.path) / 1000
        yield Figure(f"{asked.name}: compressed", kilobytes, "kB", _WEIGHT_GOAL_KB, lower_is_better=True)


def _times(name: str, found: list[float], goal_ms: float | None) -> Iterator[Figure]:
    yield Figure(f"{name}: median", percentile(found, 0.5), "ms")
    yield Figure(f"{name}: p95", percentile(found, 0.95), "ms", goal_ms, lower_is_better=True)


def _settings(days: int, links: int, requests: int, seed: int, filled: Filled) -> dict[str, object]:
    return {
        "days": days,
        "sites": _SITES,
        "pairs": links,
        "links": filled.links,
        **{f"windows of {width}": rows for width, rows in filled.windows.items()},
        "requests": requests,
        "seed": seed,
    }
