"""Pages of channels, VOs and kinds of failures: the numbers of the API, and the way from one to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pages import BROWSER, Page, data, page
from tests.support.queue_messages import link, status_fields
from tests.support.shell import Shell
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack

MINUTE = 60_000
WINDOWS = 26
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T18:00Z"
PAIR = f"/vos?src=host:eoscms.cern.ch&dst=host:storm.cnaf.infn.it&{RANGE}"
CHANNEL = "eoscms.cern.ch__storm.cnaf.infn.it"
QUEUE_STATUS = "transfer.fts_monitoring_queue_status"
FAILED = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "t__error_message": "no space"}


def traffic() -> list[str]:
    """26 windows of CMS and ATLAS, the same ups and downs; LHCb in three; two failures of CMS; queue status twice."""
    lines = []
    for n in range(WINDOWS):
        at = NOON_MS + n * 10 * MINUTE + MINUTE
        size = {"tr_bt_transfered": 10**9 * (1 + n % 7)}
        lines.append(line(COMPLETE, complete(n, at, **size), at + MINUTE))
        lines.append(line(COMPLETE, complete(100 + n, at, vo="atlas", **size), at + MINUTE))
    lines += [line(COMPLETE, complete(200 + n, NOON_MS + n * 10 * MINUTE + MINUTE, vo="lhcb")) for n in range(3)]
    lines += [line(COMPLETE, complete(300 + n, NOON_MS + 5 * MINUTE, **FAILED)) for n in range(2)]
    for n, active in ((0, "7"), (2, "9")):
        at_ms = NOON_MS + n * 10 * MINUTE + MINUTE
        fields = status_fields(link(None, None, active=active), vo="cms", channel=CHANNEL, time=f"{at_ms}.000000")
        lines.append(line(QUEUE_STATUS, fields, at_ms + MINUTE))
    return lines


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    reads_and_operates(database_url)
    config = WebConfig(database_url)
    server = Server(config, clock=lambda: NOON_MS / 1000 + 86_400)
    with TestClient(create_app(config, server), headers={"accept": BROWSER}) as client:
        yield client


def test_vos_of_a_pair_stand_beside_each_other(client: TestClient) -> None:
    shown = page(client, PAIR)
    counts = {row[0].strip(): [cell.strip() for cell in row[2:5]] for row in shown.rows if len(row) == 7}
    assert (counts["cms"], counts["atlas"], counts["lhcb"]) == (["26", "2", "0"], ["26", "0", "0"], ["3", "0", "0"])
    behind = {(row["vo"], row["other_vo"]): row for row in data(client, shown, "correlation")}
    told = {(row[0], row[1]): [" ".join(cell.split()) for cell in row] for row in shown.rows if len(row) == 11}
    alike = float(behind["cms", "atlas"]["throughput_correlation"])
    assert 0.9 < alike < 1, "the same sizes, but for two failures in the first window"
    assert told["cms", "atlas"][5] == f"{alike:+.2f} n=26"
    assert (behind["cms", "lhcb"]["throughput_correlation"], told["cms", "lhcb"][5]) == ("", "-"), "three are too few"
    assert told["cms", "lhcb"][3:5] == ["3", "26"]
    text = client.get(PAIR).text
    assert "not proof of a cause" in text
    assert text.count('class="plot narrow"') == 6, "throughput and efficiency of three VOs"
    assert client.get("/vos?src=site:A").status_code == 400


def test_a_vo_has_its_page_and_leads_to_the_comparison(client: TestClient) -> None:
    listed = page(client, f"/vos?{RANGE}")
    assert listed.row("atlas", "fts")[2:5] == ["26", "0", "0"]
    shown = page(client, next(each for each in listed.links if each.startswith("/vos/atlas")))
    assert sum(int(row["ok"]) for row in data(client, shown, "links")) == 26
    assert any(each.startswith("/vos?") and "src=site%3Aunknown" in each for each in shown.links)
    near = client.get(f"/vos/atlsa?{RANGE}")
    assert (near.status_code, any(each.startswith("/vos/atlas") for each in Page(near.text).links)) == (404, True)


def test_a_channel_has_its_links_and_what_fts_says_of_it(client: TestClient) -> None:
    listed = page(client, f"/channels?{RANGE}")
    assert listed.row(CHANNEL, "fts3.cern.ch")[2:6] == ["1", "55", "2", "0"]
    address = next(each for each in listed.links if each.startswith(f"/channels/{CHANNEL}"))
    shown = page(client, address)
    (line_,) = (row for row in shown.rows if len(row) == 4 and "all links" in row[0] and row[3].strip() == "9")
    assert [cell.strip() for cell in line_[1:]] == ["9", "7", "9"]
    text = client.get(address).text
    active = text[text.index("<b>Active</b>") :]
    assert active.split("</figure>")[0].count("<path d=") == 3, "two runs with a gap between them, and the legend's"
    assert shown.row("eoscms.cern.ch", "storm.cnaf.infn.it")[3:6] == ["55", "2", "0"]
    assert client.get(f"/channels/nowhere?{RANGE}").status_code == 404
    quiet = client.get(f"/channels/{CHANNEL}?from=2026-11-22T16:30Z&to=2026-11-22T17:00Z").text
    assert "how full it was is not known" in quiet


def test_a_kind_of_failure_leads_to_its_links_and_transfers(client: TestClient) -> None:
    errors = page(client, f"/errors?{RANGE}")
    kind = page(client, next(each for each in errors.links if each.startswith("/errors/")))
    row = kind.row("eoscms.cern.ch", "storm.cnaf.infn.it")
    assert row[2:4] == ["cms", "2"]
    behind = next(each for each in kind.links if each.startswith("/transfers?") and "state=failed" in each)
    assert f"template={quote('no space').replace('%20', '+')}" in behind
    found = page(client, behind, authorization="Bearer reads")
    assert sum(1 for each in found.rows if len(each) == 10) - 1 == 2


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/?vo=cmss&" + RANGE, "has the vo &#39;cmss&#39;: did you mean cms?"),
        ("/vos/lhcb?from=2026-11-22T15:00Z&to=2026-11-22T16:00Z", "was seen last at 2026-11-22 12:20Z."),
        ("/?from=2026-11-22T23:00Z&to=2026-11-23T00:00Z", "Nothing was received in this time from any source."),
        ("/?from=2026-11-01&to=2026-11-02", "The oldest windows of 10m that are kept begin at 2026-11-22 12:00Z."),
    ],
)
def test_an_empty_page_says_which_of_four_it_is(client: TestClient, address: str, said: str) -> None:
    text = client.get(address).text
    assert said in text
    if "Show the time around it" in text:
        around = re.findall(r'href="([^"]*)">Show the time around it', text)
        assert "Show the time around it" not in client.get(unescape(around[0])).text
