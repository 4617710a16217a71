"""Pages of sites and single transfers: their numbers are those of the API, and every number leads to its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pages import BROWSER, Page, page
from tests.support.shell import Shell
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack

MINUTE = 60_000
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T14:00Z"
READS = {"Authorization": "Bearer reads"}
FAILED = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "t__error_message": "no <b>space</b>"}


def traffic() -> list[str]:
    """CERN to DESY: five ok and three failed, one of them CERN's; DESY to CERN: two ok; inside DESY: one."""
    desy = {"dst_hostname": "se1.desy.de"}
    lines = [line(COMPLETE, complete(n, NOON_MS + n * MINUTE, **desy)) for n in range(5)]
    for n, scope in ((10, "SOURCE"), (11, "DESTINATION"), (12, "TRANSFER")):
        lines.append(line(COMPLETE, complete(n, NOON_MS + n * MINUTE, tr_error_scope=scope, **desy, **FAILED)))
    back = {"src_hostname": "se1.desy.de", "dst_hostname": "eoscms.cern.ch", "vo": "atlas"}
    lines += [line(COMPLETE, complete(n, NOON_MS + n * MINUTE, **back)) for n in (20, 21)]
    inside = {"src_hostname": "se1.desy.de", "dst_hostname": "se2.desy.de"}
    stages = {"timestamp_chk_src_st": NOON_MS, "timestamp_chk_src_ended": NOON_MS + 1500}
    identity = "2026-11-22-1230__se1.desy.de__se2.desy.de__30__a b/c?d"
    lines.append(line(COMPLETE, complete(30, NOON_MS + 30 * MINUTE, **inside, **stages, tr_id=identity)))
    return lines


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    domains = [{"domain": "cern.ch", "sites": ["CERN"]}, {"domain": "desy.de", "sites": ["DESY/HH"]}]
    sites = [{"name": "CERN"}, {"name": "DESY/HH"}]
    (tmp_path / "sites.json").write_text(json.dumps({"format": 1, "sites": sites, "domains": domains}))
    shell("topology", "load", tmp_path / "sites.json")
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    reads_and_operates(database_url)
    config = WebConfig(database_url)
    server = Server(config, clock=lambda: NOON_MS / 1000 + 86_400)
    with TestClient(create_app(config, server), headers={"accept": BROWSER}) as client:
        yield client


def rows_behind(client: TestClient, address: str) -> int:
    """How many rows the page of transfers has at this address."""
    shown = page(client, address, **READS)
    return sum(1 for each in shown.rows if len(each) == 10 and each[0] != "Ended (UTC)")


def test_both_directions_of_a_site_and_every_count_with_its_rows(client: TestClient) -> None:
    address = f"/sites/{quote('DESY/HH', safe='')}?{RANGE}"
    shown = page(client, address)
    into, out = (row for row in shown.rows if len(row) == 7 and row[0].strip() == "CERN")
    assert [cell.strip() for cell in into[1:5]] == ["fts", "5", "3", "0"]
    assert into[5].startswith("62.5 %")
    assert [cell.strip() for cell in out[1:5]] == ["fts", "2", "0", "0"]
    for where in ("at this site (scope DESTINATION)", "at the other site (scope SOURCE)", "between them, or not said"):
        assert shown.row(where) == [where, "1"]
    summary = client.get(f"/api/v1/summary?{RANGE}&src=site:DESY/HH&dst=site:DESY/HH&shape=objects").json()["rows"]
    assert [row["ok"] for row in summary] == [1]
    text = client.get(address).text
    assert "Inside the site" in text.replace("No transfers between its own hosts", "Not inside")
    assert "No transfers between its own hosts" not in text
    ends = {"in": ("dst", "src"), "out": ("src", "dst")}
    for direction, state, many in (("in", "ok", 5), ("in", "failed", 3), ("out", "ok", 2)):
        own, other = (f"{side}=site%3A" for side in ends[direction])
        found = next(
            each
            for each in shown.links
            if each.startswith("/transfers?")
            and f"state={state}" in each
            and f"{own}DESY%2FHH" in each
            and f"{other}CERN" in each
        )
        assert rows_behind(client, found) == many


def test_the_list_of_sites_has_both_sides(client: TestClient) -> None:
    shown = page(client, f"/sites?{RANGE}")
    row = shown.row("DESY/HH", "fts")
    assert (row[3], row[4], row[8], row[9]) == ("6", "3", "3", "0"), "traffic inside counts on both sides"
    assert page(client, next(each for each in shown.links if each.startswith("/sites/DESY%2FHH")))


def test_an_unknown_site_has_its_near_names(client: TestClient) -> None:
    reply = client.get(f"/sites/desy?{RANGE}")
    assert reply.status_code == 404
    (near,) = {each for each in Page(reply.text).links if each.startswith("/sites/")}
    assert client.get(near).status_code == 200
    told = client.get(f"/sites/desy?{RANGE}", headers={"accept": "application/json"}).json()
    assert "did you mean DESY/HH?" in told["detail"]
    assert client.get(f"/links?src=host:nowhere.org&dst=host:se1.desy.de&{RANGE}").status_code == 404


def test_single_transfers_are_for_readers_and_anonymous_is_told_how(client: TestClient) -> None:
    for address in (f"/transfers?{RANGE}", "/transfers/id-3"):
        reply = client.get(address)
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert "Ask the operators of this installation for a reader" in reply.text
        assert "id-3" not in reply.text.replace("/transfers/id-3", "")


def test_transfers_filter_and_page(client: TestClient) -> None:
    assert rows_behind(client, f"/transfers?{RANGE}&state=failed") == 3
    assert rows_behind(client, f"/transfers?{RANGE}&min_size=1") == 0, "these messages tell no file size"
    failed = client.get(f"/transfers?{RANGE}&state=failed", headers=READS).text
    assert "no &lt;b&gt;space&lt;/b&gt;" in failed
    address, seen = f"/transfers?{RANGE}&limit=4", list[str]()
    while address:
        shown = page(client, address, **READS)
        seen += [row[-1] for row in shown.rows[1:] if len(row) == 10]
        address = next((each for each in shown.links if "cursor=" in each), "")
    assert len(seen) == len(set(seen)) == 11


def test_a_transfer_shows_its_attempt_and_how_long_its_stages_took(client: TestClient) -> None:
    shown = page(client, f"/transfers?{RANGE}&src=host:se1.desy.de&dst=host:se2.desy.de", **READS)
    address = next(each for each in shown.links if each.startswith("/transfers/2026"))
    text = client.get(address, headers=READS).text
    fields = {row[0]: row[1] for row in Page(text).rows if len(row) == 2}
    assert fields["src_site"] == fields["dst_site"] == "DESY/HH"
    assert fields["bytes"] == "1.00 GB"
    assert "source checksum" in text
    assert "1.5 s" in text
    assert "SRM preparation" not in text, "a stage that the messages do not tell is absent"
    assert client.get("/transfers/none-such", headers=READS).status_code == 404
