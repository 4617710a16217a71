"""Pictures over a real store: whose silence is a gap where, queues of a channel, and what an address leaves out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pages import BROWSER, page
from tests.support.queue_messages import link, status_fields
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

MINUTE = 60_000
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T13:00Z"
ENDS = ("a.cern.ch", "b.desy.de"), ("b.desy.de", "c.infn.it")
PAIRS = [f"/links?src=host:{source}&dst=host:{target}&{RANGE}" for source, target in ENDS]
INSTANCES = ("fts-one.cern.ch", "fts-two.cern.ch")
CHANNEL = "busy"
QUEUE_STATUS = "transfer.fts_monitoring_queue_status"
SILENT = range(20, 42)
"""Minutes in which the first instance says nothing; what ended at 12:40 would have moved bytes before."""


def traffic() -> list[str]:
    """A transfer a minute of two pairs by an instance each, the second one idle from 12:40 to 12:50 but for another
    pair; queues of three links in one channel, each told three times."""
    lines = []
    for minute in range(1, 60):
        at_ms = NOON_MS + minute * MINUTE
        for number, ((source, target), instance) in enumerate(zip(ENDS, INSTANCES, strict=True)):
            if number == 0 and minute in SILENT:
                continue
            away = number == 1 and 40 <= minute < 52
            fields = {"src_hostname": "d.gridka.de" if away else source, "dst_hostname": target}
            fields |= {"endpnt": f"https://{instance}:8446", "vo": ("cms", "atlas")[minute % 2]}
            lines.append(line(COMPLETE, complete(minute * 10 + number, at_ms, **fields), at_ms))
    for minute in (5, 15, 55):
        links = [link(f"s{n}.cern.ch", f"d{n}.desy.de", active=str(n * 10 + minute), ready=str(n)) for n in range(1, 4)]
        at_ms = NOON_MS + minute * MINUTE
        fields = status_fields(*links, vo="cms", channel=CHANNEL, time=f"{at_ms}.000000")
        lines.append(line(QUEUE_STATUS, fields, at_ms))
    channel = {"t_channel": CHANNEL, "src_hostname": "s1.cern.ch", "dst_hostname": "d1.desy.de"}
    lines.append(line(COMPLETE, complete(9000, NOON_MS + MINUTE, endpnt=f"https://{INSTANCES[1]}:8446", **channel)))
    return lines


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    config = WebConfig(database_url)
    server = Server(config, clock=lambda: NOON_MS / 1000 + 7200)
    with TestClient(create_app(config, server), headers={"accept": BROWSER}) as client:
        yield client


def plots(client: TestClient, address: str) -> list[dict[str, Any]]:
    """The values of the pictures of a page."""
    shown = page(client, address)
    return [json.loads(attributes["data-plot"] or "") for tag, attributes in shown.tags if tag == "figure"]


def windows(starts: list[int]) -> list[int]:
    """Starts of windows as minutes after noon."""
    return [(start - NOON_MS) // MINUTE for start in starts]


def test_the_silence_of_an_instance_is_a_gap_where_it_alone_tells(client: TestClient) -> None:
    first, second = (plots(client, address)[0] for address in PAIRS)
    assert windows(first["silent"]) == windows(first["unknown"]) == [20, 30]
    assert second["silent"] == second["unknown"] == []
    everything = plots(client, f"/?{RANGE}")
    assert [plot["silent"] for plot in everything] == [[], [], []]
    alone = plots(client, f"/?{RANGE}&fts={INSTANCES[0]}")
    assert [windows(plot["silent"]) for plot in alone] == [[20, 30]] * 3
    said = client.get(f"/api/v1/series?{RANGE}", headers={"accept": "application/json"}).json()["meta"]["gaps"]
    assert said == [{"source": INSTANCES[0], "from": "2026-11-22T12:20:00Z", "to": "2026-11-22T12:40:00Z"}]


def test_the_mean_leaves_a_gap_out_and_has_rest_in_it(client: TestClient) -> None:
    texts = [client.get(address).text for address in PAIRS]
    assert "40 min 00 s mean" in texts[0]
    assert "1 h mean" in texts[1]
    assert 'class="gap"' in texts[0]
    assert 'class="gap"' not in texts[1]


def test_queues_of_a_channel_are_lines_of_their_own_in_bins_of_the_range(client: TestClient) -> None:
    active = plots(client, f"/channels/{CHANNEL}?{RANGE}")[-3]
    assert active["kind"] == "count"
    told = {
        each["name"].split(" · ")[-1]: [(minute, value) for (_, value), minute in zip(
            each["values"], windows([start for start, _ in each["values"]]), strict=True)]
        for each in active["series"]
    }  # fmt: skip
    assert told == {
        f"s{n}.cern.ch → d{n}.desy.de": [(0, n * 10 + 5), (10, n * 10 + 15), (50, n * 10 + 55)] for n in (3, 2, 1)
    }
    by_hour = plots(client, f"/channels/{CHANNEL}?{RANGE}&bin=1h")[-3]
    assert [[value for _, value in each["values"]] for each in by_hour["series"]] == [[55], [45], [35]]


def test_what_an_address_leaves_out_is_left_out_and_no_filter(client: TestClient) -> None:
    address = f"{PAIRS[1]}&hidden=cms"
    moved, ended, _, *_ = plots(client, address)
    assert [(each["name"], each["hidden"]) for each in moved["series"]] == [("atlas", False), ("cms", True)]
    assert not any(each["hidden"] for each in ended["series"])
    shown, whole = page(client, address), page(client, PAIRS[1])
    assert [row for row in shown.rows if len(row) == 7] == [row for row in whole.rows if len(row) == 7]
    data_links = [each for each in shown.links if each.startswith("/api/")]
    assert data_links
    assert not any("hidden" in each for each in data_links)
    assert client.get(f"/api/v1/series?{RANGE}&hidden=cms").status_code == 400


def test_every_page_with_pictures_takes_what_they_leave_out(client: TestClient) -> None:
    pair = PAIRS[0].partition("?")[2]
    for address in ("/?", "/sites/unknown?", "/vos/cms?", f"/vos?{pair}&", f"/channels/{CHANNEL}?", "/queues?"):
        assert client.get(f"{address}hidden=cms").status_code == 200, address
    assert client.get("/help?hidden=cms").status_code == 400


def test_a_target_is_a_parameter_of_links_alone(client: TestClient) -> None:
    assert "% of the target 20.0 MB/s" in client.get(f"{PAIRS[0]}&target=20MB/s").text
    refused = client.get(f"{PAIRS[0]}&target=20Mbit")
    assert refused.status_code == 400
    assert "is no rate in bytes: write 20MB/s, 1.5GB/s or 5000000" in refused.text
    assert client.get(f"/?{RANGE}&target=20MB/s").status_code == 400
