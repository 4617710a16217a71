"""The pages over a real store: the same numbers as the data behind them, whole without a script, text as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from pipeline.units import human
from pipeline.web.app import create_app
from pipeline.web.config import Thresholds, WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start
from tests.support.pages import BROWSER, data, page
from tests.support.replayed import replayed
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack

MINUTE = 60_000
HOSTILE = "<script>alert(1)</script>\"'javascript:x"
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T13:00Z"
LINK = f"/links?src=host:eoscms.cern.ch&dst=host:se1.desy.de&{RANGE}"
PAGES = (f"/?{RANGE}", f"/matrix?{RANGE}&rows=host&cols=host", f"/matrix?{RANGE}&layout=list", LINK, f"/errors?{RANGE}")
EVERY = (*PAGES, f"/sites?{RANGE}", f"/sites/unknown?{RANGE}", "/transfers/in-flight?from=2026-11-01", "/help")


@pytest.fixture(scope="module")
def traffic_url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Link 1: twelve ok of 1 GB and four failures; link 2: one failed; one aborted; a hostile VO; an open start."""
    error = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "t__error_message": f"no space {HOSTILE}"}
    lines = [line(COMPLETE, complete(n, NOON_MS + n * MINUTE, dst_hostname="se1.desy.de")) for n in range(12)]
    lines += [
        line(COMPLETE, complete(n, NOON_MS + n * MINUTE, dst_hostname="se1.desy.de", **error)) for n in range(20, 24)
    ]
    lines.append(line(COMPLETE, complete(30, NOON_MS + MINUTE, dst_hostname="se2.desy.de", **error)))
    lines.append(
        line(COMPLETE, complete(31, NOON_MS + MINUTE, dst_hostname="se3.desy.de", t_final_transfer_state="Abort"))
    )
    lines.append(line(COMPLETE, complete(32, NOON_MS + MINUTE, dst_hostname="se4.desy.de", vo=HOSTILE)))
    lines.append(line(START, start(50, NOON_MS + MINUTE)))
    with replayed(template_url, tmp_path_factory.mktemp("traffic"), lines) as url:
        reads_and_operates(url)
        yield url


@pytest.fixture
def server(traffic_url: str) -> Server:
    config = WebConfig(traffic_url, thresholds=Thresholds(fair=0.7))
    return Server(config, clock=lambda: NOON_MS / 1000 + 7200)


@pytest.fixture
def client(server: Server) -> Iterator[TestClient]:
    with TestClient(create_app(server.config, server), headers={"accept": BROWSER}) as client:
        yield client


def test_the_matrix_has_the_numbers_of_its_data(client: TestClient) -> None:
    address = f"/matrix?{RANGE}&rows=host&cols=host&metric=volume"
    shown = page(client, address)
    behind = {row["dst_host"]: row for row in data(client, shown, "matrix")}
    assert set(behind) == {*(f"se{n}.desy.de" for n in range(1, 5)), "storm.cnaf.infn.it"}
    assert "Volume of fts in <b>GB</b>" in client.get(address).text
    header, cells = shown.row("from ↓ / to →"), shown.row("eoscms.cern.ch")
    for name, cell in zip(header[1:-1], cells[1:-1], strict=True):
        assert cell.split()[0] == human(int(behind[name]["bytes"]), "bytes").split()[0]
    total = sum(int(row["bytes"]) for row in behind.values())
    assert cells[-1].split()[0] == human(total, "bytes").split()[0]


def test_cells_have_the_class_of_the_one_setting_and_a_mark(client: TestClient) -> None:
    shown = page(client, f"/matrix?{RANGE}&rows=host&cols=host&metric=efficiency")
    cells = dict(zip(shown.row("from ↓ / to →"), shown.row("eoscms.cern.ch"), strict=True))
    assert cells["se1.desy.de"] == "75.0 ▂", "fair, since this server has it begin at 70 %"
    assert cells["se2.desy.de"] == "0.0 ✕ n=1"
    assert cells["se3.desy.de"] == "a"
    assert cells["se4.desy.de"] == "100.0 n=1"
    text = client.get("/help").text
    assert "70 % to below 95 %" in text
    assert "80 %" not in text


def test_the_list_form_and_the_link_page_say_the_same(client: TestClient) -> None:
    listed = page(client, f"/matrix?{RANGE}&layout=list&rows=host&cols=host").row("eoscms.cern.ch", "se1.desy.de")
    assert listed[2:6] == ["12", "4", "0", "75.0 % ▂"]
    shown = page(client, LINK)
    assert shown.row("cms", "fts")[2:6] == ["12", "4", "0", "75.0 % ▂"]
    (behind,) = data(client, shown, "links")
    assert (behind["ok"], behind["failed"], behind["bytes"]) == ("12", "4", str(16 * 10**9))
    assert shown.row("streaming")[:3] == ["streaming", "12", "40.0 s"]
    assert "source checksum" not in [row[0] for row in shown.rows if row], "a stage without values is absent"


def test_failures_add_up_and_the_other_direction_is_one_click_away(client: TestClient) -> None:
    shown = page(client, LINK)
    assert sum(int(row["count"]) for row in data(client, shown, "errors")) == 4
    back = next(
        each for each in shown.links if "src=host%3Ase1.desy.de" in each and "dst=host%3Aeoscms.cern.ch" in each
    )
    assert "Nothing was transferred" in client.get(back).text


def test_worst_links_leave_out_those_with_few(client: TestClient) -> None:
    text = client.get(f"/?{RANGE}").text
    worst = text[text.index("Links with most failures") : text.index("Most frequent failures")]
    assert "se1.desy.de" in worst
    assert "se2.desy.de" not in worst


@pytest.mark.parametrize("address", EVERY)
def test_hostile_text_stays_text_and_nothing_is_inline(client: TestClient, address: str) -> None:
    shown = page(client, address)
    for tag, attributes in shown.tags:
        assert tag not in ("style", "iframe", "object")
        assert tag != "script" or attributes.get("src")
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#"))


def test_the_hostile_vo_is_shown_as_it_is(client: TestClient) -> None:
    assert any(HOSTILE in cell for row in page(client, f"/?{RANGE}").rows for cell in row)


@pytest.mark.parametrize("address", EVERY)
def test_every_link_of_a_page_leads_somewhere(client: TestClient, address: str) -> None:
    for target in sorted({each for each in page(client, address).links if each.startswith("/")}):
        assert client.get(target, headers={"Authorization": "Bearer reads"}).status_code == 200, target


def test_a_page_hands_its_own_default_range_on(client: TestClient) -> None:
    shown = page(client, "/matrix?to=2026-11-22T13:00Z&rows=host&cols=host&from=2026-11-22T12:00Z")
    assert all("from=2026-11-22T12" in each for each in shown.links if each.startswith("/links?"))
    for each in page(client, "/matrix").links:
        if each.startswith(("/errors", "/api/")):
            assert "from=now-6h" in each


def test_filters_are_named_removable_and_carried(client: TestClient) -> None:
    shown = page(client, f"/?{RANGE}&vo=cms&vo=!atlas")
    assert any(re.fullmatch(r"/\?.*vo=%21atlas", each) and "vo=cms" not in each for each in shown.links)
    assert all("vo=cms" in each for each in shown.links if each.startswith("/links?"))
    assert all(f"vo={quote('!atlas')}" in each for each in shown.links if each.startswith("/matrix"))


def test_empty_fields_of_the_form_are_no_filters(client: TestClient) -> None:
    reply = client.get(f"/?{RANGE}&vo=&technology=&fts=", follow_redirects=False)
    assert (reply.status_code, "vo" in reply.headers["location"]) == (303, False)


def test_a_silent_source_and_an_empty_range_are_said(client: TestClient) -> None:
    assert "1 of 1 sources were not heard" in client.get("/").text
    assert "No transfers in this range" in client.get("/?from=2026-11-20&to=2026-11-21").text


def test_problems_are_pages_with_the_same_sentence(client: TestClient) -> None:
    for address, status in (("/?vvo=cms", 400), ("/nowhere", 404), ("/links?src=a", 400), ("/?from=soon", 400)):
        shown = client.get(address)
        told = client.get(address, headers={"accept": "application/json"}).json()
        assert (shown.status_code, shown.headers["content-type"][:9]) == (status, "text/html")
        assert told["title"] in shown.text
        assert shown.headers["x-request-id"] in shown.text


def test_static_files_have_their_hash_in_the_name(client: TestClient) -> None:
    (sheet,) = {found["href"] for tag, found in page(client, "/help").tags if found.get("rel") == "stylesheet"}
    assert sheet is not None
    reply = client.get(sheet)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert client.get("/static/style.000000000000.css").status_code == 404
