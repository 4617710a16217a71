"""Stages on the page of a link: the percentiles of the API, for the range and for each bin; the slowest for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.units import human
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pages import BROWSER, Page, page
from tests.support.shell import Shell
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack

MINUTE = 60_000
ENDS = "src=host:eoscms.cern.ch&dst=host:storm.cnaf.infn.it"
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T14:00Z"
READS = {"Authorization": "Bearer reads"}


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """24 transfers in four bins, each longer than the one before; nothing in the fifth bin and after."""
    lines = [
        line(COMPLETE, complete(n, ends := NOON_MS + n * 100_000, timestamp_tr_st=ends - 1000 * n - 1000))
        for n in range(24)
    ]
    shell("replay", write(tmp_path / "traffic.jsonl", lines))
    reads_and_operates(database_url)
    config = WebConfig(database_url)
    server = Server(config, clock=lambda: NOON_MS / 1000 + 86_400)
    with TestClient(create_app(config, server), headers={"accept": BROWSER}) as client:
        yield client


def plots(shown: Page) -> dict[str, dict[int, float]]:
    """The lines of the picture of streaming, by name, as (start of the bin, value)."""
    found = [json.loads(attributes["data-plot"] or "") for tag, attributes in shown.tags if tag == "figure"]
    (streaming,) = (
        each
        for each in found
        if each["kind"] == "ms"
        and [line["name"] for line in each["series"]] == ["median", "90 % below", "99 % below"]
        and max(value for _, value in each["series"][2]["values"]) < 30_000
    )
    return {each["name"]: dict(each["values"]) for each in streaming["series"]}


def test_stages_of_the_range_and_of_each_bin_are_those_of_the_api(client: TestClient) -> None:
    shown = page(client, f"/links?{ENDS}&{RANGE}")
    asked = f"/api/v1/links/stages?{ENDS}&{RANGE}&p=50,90,99&shape=objects"
    (whole,) = client.get(asked, headers={"accept": "application/json"}).json()["rows"]
    told = ["24", *(human(whole[f"streaming_{part}"], "ms") for part in ("mean", "p50", "p90", "p99"))]
    assert ["streaming", *told] in [[cell.strip() for cell in row] for row in shown.rows]
    bins = client.get(f"{asked}&by=window_start,technology", headers={"accept": "application/json"}).json()["rows"]
    bins.sort(key=lambda row: row["window_start"])
    lines = plots(shown)
    assert len(bins) == 4
    for name, part in (("median", "p50"), ("90 % below", "p90"), ("99 % below", "p99")):
        assert list(lines[name].values()) == [row[f"streaming_{part}"] for row in bins]
        assert len(set(lines[name].values())) == 4, "each bin has its own"
    assert not any(row and row[0].strip() == "SRM preparation" for row in shown.rows), "nobody told of it"


def test_readers_see_the_slowest_first_and_others_none(client: TestClient) -> None:
    address = f"/links?{ENDS}&{RANGE}"
    assert "Slowest ok transfers" not in client.get(address).text
    shown = page(client, address, **READS)
    slowest = [row for row in shown.rows if len(row) == 8 and row[1] == "cms"]
    assert len(slowest) == 20
    asked = f"/api/v1/transfers?{ENDS}&{RANGE}&state=ok&sort=-total_ms&limit=20&shape=objects"
    rows = client.get(asked, headers={**READS, "accept": "application/json"}).json()["rows"]
    assert [row[5] for row in slowest] == [human(each["total_ms"], "ms") for each in rows]
