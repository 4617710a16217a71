"""The matrix page without a script: groups opened in place, orders, what is hidden, and a large one as a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from pipeline.store.session import connect
from pipeline.store.window_filler import fill_windows
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pages import BROWSER, Page, data, page
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

MINUTE = 60_000
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T13:00Z"
FAILED = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "t__error_message": "no space"}
PLACES = {"cern.ch": ("CERN", "CH"), "psi.ch": ("PSI", "CH"), "desy.de": ("DESY", "DE"), "kit.edu": ("KIT", "DE")}
TRANSFERS = [
    ("eos.cern.ch", "se1.desy.de", 12, 4),
    ("eos.cern.ch", "se2.desy.de", 3, 0),
    ("eos.cern.ch", "dc.kit.edu", 2, 7),
    ("se.psi.ch", "se1.desy.de", 1, 1),
    ("se1.desy.de", "eos.cern.ch", 5, 0),
    ("nobody.example.org", "dc.kit.edu", 1, 0),
]


def traffic() -> list[str]:
    lines: list[str] = []
    for source, target, ok, failed in TRANSFERS:
        for place in range(ok + failed):
            number = len(lines)
            fields = {"src_hostname": source, "dst_hostname": target} | (FAILED if place >= ok else {})
            lines.append(line(COMPLETE, complete(number, NOON_MS + number % 50 * MINUTE, **fields)))
    return lines


def client_of(url: str, now_ms: int) -> TestClient:
    config = WebConfig(url)
    return TestClient(create_app(config, Server(config, clock=lambda: now_ms / 1000)), headers={"accept": BROWSER})


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    sites = [{"name": name, "country": country} for name, country in PLACES.values()]
    domains = [{"domain": domain, "sites": [name]} for domain, (name, _) in PLACES.items()]
    (tmp_path / "sites.json").write_text(json.dumps({"format": 1, "sites": sites, "domains": domains}))
    shell("topology", "load", tmp_path / "sites.json")
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    with client_of(database_url, NOON_MS + 86_400_000) as client:
        yield client


@pytest.fixture
def large(database_url: str) -> Iterator[TestClient]:
    """Some hundred pairs among so many sites that no table is written."""
    with closing(connect(database_url)) as store:
        fill_windows(store, NOON_MS, days=1, links=150, sites=150, seed=1)
    with client_of(database_url, NOON_MS) as client:
        yield client


def cells(client: TestClient, query: str) -> dict[tuple[str, str], str]:
    """The texts of a matrix by row and column."""
    shown = page(client, f"/matrix?{RANGE}&{query}")
    top = table_of(shown)[0]
    columns = [clean(each) for each in top[1:]]
    rows = table_of(shown)[1:]
    return {(clean(row[0]), col): " ".join(row[place + 1].split()) for row in rows for place, col in enumerate(columns)}


def table_of(shown: Page) -> list[list[str]]:
    """The rows of the matrix, from its header to its sums."""
    first = next(place for place, row in enumerate(shown.rows) if "↓" in row[0])
    last = next(place for place, row in enumerate(shown.rows) if place > first and row[0] == "all")
    return shown.rows[first : last + 1]


def clean(text: str) -> str:
    return text.replace("▸", "").replace("▾", "").strip()


def toggles(shown: Page) -> dict[str, str]:
    """Links that open and close groups of the rows and columns, by what they do."""
    found = {}
    for tag, attributes in shown.tags:
        if tag == "a" and "aria-expanded" in attributes:
            query = parse_qs(urlsplit(attributes["href"] or "").query)
            side = "to" if "open_dst" in query and attributes["aria-expanded"] == "false" else "from"
            found[f"{side} {attributes['aria-label']} {attributes['aria-expanded']}"] = attributes["href"] or ""
    return found


def test_a_country_opens_into_sites_and_a_site_into_hosts_by_links(client: TestClient) -> None:
    shown = page(client, f"/matrix?{RANGE}&metric=ok")
    for step, names in (
        ("from CH false", ["CH", "CERN", "PSI", "DE", "unknown", "all"]),
        ("from CERN false", ["CH", "CERN", "eos.cern.ch", "PSI", "DE", "unknown", "all"]),
    ):
        shown = page(client, toggles(shown)[step])
        assert [clean(row[0]) for row in table_of(shown)[1:]] == names
    shown = page(client, toggles(shown)["from CH true"])
    assert "PSI" not in [clean(row[0]) for row in table_of(shown)]


def test_parents_equal_their_children_and_the_api(client: TestClient) -> None:
    opened = "open_src=country:CH&open_dst=country:DE&open_dst=site:DESY"
    for metric, name in (("ok", "ok"), ("failed", "failed"), ("started", "started")):
        found = {
            place: int(text.split()[0]) for place, text in cells(client, f"{opened}&metric={metric}").items() if text
        }
        for col in ("DE", "DESY", "KIT", "se1.desy.de", "all"):
            parts = [found.get((row, col), 0) for row in ("CERN", "PSI")]
            assert found.get(("CH", col), 0) == sum(parts), (metric, col)
        for row in ("CH", "CERN", "PSI", "unknown", "all"):
            assert found.get((row, "DE"), 0) == sum(found.get((row, col), 0) for col in ("DESY", "KIT")), (metric, row)
            hosts = [found.get((row, col), 0) for col in ("se1.desy.de", "se2.desy.de")]
            assert found.get((row, "DESY"), 0) == sum(hosts), (metric, row)
        for query, ends in (("", ("country", "country")), ("&rows=site&cols=host", ("site", "host"))):
            behind = client.get(f"/api/v1/matrix?{RANGE}{query}&shape=objects&format=json").json()["rows"]
            for row in behind:
                place = (row[f"src_{ends[0]}"], row[f"dst_{ends[1]}"])
                if place in found:
                    assert found[place] == row[name], (metric, place)
        assert found["all", "all"] == sum(row[name] for row in behind)


def test_efficiency_of_a_group_comes_from_its_sums(client: TestClient) -> None:
    found = cells(client, "open_src=country:CH&metric=efficiency")
    assert found["CERN", "DE"] == f"{100 * 17 / 28:.1f} ▄"
    assert found["PSI", "DE"] == "50.0 ▄ n=2"
    assert found["CH", "DE"] == f"{100 * 18 / 30:.1f} ▄"
    assert ("PSI", "CH") in found
    assert found["PSI", "CH"] == ""


def test_sides_are_ordered_and_swapped(client: TestClient) -> None:
    def rows(query: str) -> list[str]:
        return list(dict.fromkeys(row for row, _ in cells(client, query)))

    assert rows("rows=site") == ["CERN", "DESY", "PSI", "unknown", "all"]
    assert rows("rows=site&order_src=failed") == ["CERN", "PSI", "DESY", "unknown", "all"]
    assert rows("rows=site&order_src=volume") == ["CERN", "DESY", "PSI", "unknown", "all"]
    plain, turned = cells(client, "rows=site&metric=ok"), cells(client, "rows=site&metric=ok&transpose=1")
    assert {(col, row): text for (row, col), text in turned.items()} == plain
    assert "to ↓ / from →" in client.get(f"/matrix?{RANGE}&transpose=1").text


def test_what_is_hidden_is_counted_as_in_the_api_and_unknown_stays(client: TestClient) -> None:
    query = f"{RANGE}&rows=host&cols=host&top=1"
    shown = page(client, f"/matrix?{query}")
    document = client.get(f"/api/v1/matrix?{query}&format=json").json()
    hidden = document["meta"]["hidden"]
    assert hidden["cells"] == len(TRANSFERS) - len(document["rows"])
    assert (
        f"Not shown: {hidden['cells']} cells with {hidden['bytes'] // 10**9}.0 GB"
        in client.get(f"/matrix?{query}").text
    )
    assert data(client, shown, "matrix") != []
    found = cells(client, "rows=site&top=1&metric=ok")
    assert ("unknown", "DE") in found
    assert found["all", "all"].split()[0] == "24", "sums hold what is hidden"


def test_colour_by_an_amount_has_a_legend_of_its_own(client: TestClient) -> None:
    shown = page(client, f"/matrix?{RANGE}&rows=site&cols=site&colour=failed&metric=failed")
    used = {str(attributes.get("class")).split()[0] for tag, attributes in shown.tags if tag == "td"} - {"None", "n"}
    assert {"shade5", "none"} <= used
    assert not used & {"good", "fair", "poor", "bad", "dead"}
    swatches = {attributes["class"] for tag, attributes in shown.tags if tag == "span" and "swatch" in str(attributes)}
    assert {f"swatch {name}" for name in used - {"none"}} <= swatches


def test_a_large_matrix_is_a_sorted_list_in_pages_without_a_script(large: TestClient) -> None:
    query = "from=now-24h&rows=site&cols=site&top=200"
    behind = large.get(f"/api/v1/matrix?{query}&technology=fts&shape=objects&format=json").json()["rows"]
    seen: list[list[str]] = []
    for number in range(1, 99):
        shown = page(large, f"/matrix?{query}&sort=-ok&page={number}")
        seen += [[cell.strip() for cell in row] for row in shown.rows if len(row) == 8 and row[0].startswith("SITE")]
        if not any(f"page={number + 1}" in each for each in shown.links):
            break
    assert len(behind) > 100
    assert sorted((row[0], row[1]) for row in seen) == sorted((row["src_site"], row["dst_site"]) for row in behind)
    counts = [int(row[2].replace("\N{NO-BREAK SPACE}", "").replace(" ", "")) for row in seen]
    assert counts == sorted((row["ok"] for row in behind), reverse=True)


def test_the_numbers_for_scripts_are_those_of_the_api(large: TestClient) -> None:
    query = "from=now-24h&rows=site&cols=site&top=200"
    behind = large.get(f"/api/v1/matrix?{query}&technology=fts&shape=objects&format=json").json()["rows"]
    text = large.get(f"/matrix?{query}").text
    held = json.loads(unescape(text.split('<div id="numbers" hidden>')[1].split("</div>")[0]))
    rows, cols = ([end.removeprefix("site:") for end in held[side]["ends"]] for side in ("rows", "cols"))
    places = [(row, int(col)) for row, found in enumerate(held["at"].split("\t")) for col in found.split()]
    for metric in ("ok", "failed", "started"):
        texts = dict(zip(places, held["texts"][metric].split("\t"), strict=True))
        told = {
            (rows[row], cols[col]): int(each.replace(" ", ""))
            for (row, col), each in texts.items()
            if row < len(rows) and col < len(cols)
        }
        assert told == {(row["src_site"], row["dst_site"]): row[metric] for row in behind}
        assert int(texts[len(rows), len(cols)].replace(" ", "")) == sum(told.values())


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("open_src=DE", "open_src"),
        ("open_dst=host:x", "open_dst"),
        ("sort=speed", "sort"),
        ("order_src=size", "order_src"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(client: TestClient, query: str, parameter: str) -> None:
    reply = client.get(f"/matrix?{query}", headers={"accept": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["parameter"] == parameter
