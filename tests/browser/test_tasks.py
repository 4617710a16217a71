"""What people come for, walked from where the question arises, in few clicks."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watching import Watched
from tests.support.browsed import Site
from tests.support.database import Database

pytestmark = pytest.mark.stack

MATRIX = "/matrix?rows=host&cols=host"
CLASS = re.compile(r"\b(good|fair|poor|bad|dead|none)\b")
PAIR = "/links?src=host:storm.cnaf.infn.it&dst=host:se1.desy.de"


class Walk:
    """Opens a bookmark and counts the clicks from there on."""

    def __init__(self, page: Page, bookmark: str) -> None:
        self.page = page
        self.clicks = 0
        page.goto(bookmark)

    def click(self, where: Locator) -> None:
        self.clicks += 1
        where.click()


@pytest.fixture(scope="module")
def waiting(site: Site) -> Iterator[None]:
    """A queue in which too much waits, sampled twice, the second time just now."""
    with closing(Database(site.database)) as database:
        database.ask(
            "INSERT INTO store.backlog (sampled_at, kind, broker, name, depth) VALUES"
            " ('2026-11-22T13:01:00Z', 'queue', 'mq1', 'Consumer.monitoring.fts', 7000),"
            " ('2026-11-22T13:01:50Z', 'queue', 'mq1', 'Consumer.monitoring.fts', 9000)"
        )
        yield
        database.ask("DELETE FROM store.backlog")


def test_t1_whether_data_move_and_this_is_current_is_seen_at_once(watched: Watched) -> None:
    walk = Walk(watched.page, "/")
    totals = walk.page.get_by_role("region", name="Totals of fts")
    for label in ("throughput", "failed", "efficiency"):
        expect(totals.locator(".tile", has_text=label)).to_contain_text("a week before")
    expect(walk.page.locator("#as-of")).to_have_text("as of 13:02 UTC")
    expect(walk.page.locator("#freshness")).to_contain_text("Freshness of 1 sources")
    in_view = "(each) => each.getBoundingClientRect().bottom <= innerHeight"
    assert totals.evaluate(in_view), "without scrolling"
    assert walk.clicks == 0


def test_t2_the_worst_links_and_sites(watched: Watched) -> None:
    walk = Walk(watched.page, "/")
    worst = walk.page.locator("h2", has_text="Links with most failures").locator("~ .wide >> nth=0").locator("tbody tr")
    rows = walk.page.request.get("/api/v1/links?from=now-24h&sort=-failed&limit=1&shape=objects").json()["rows"]
    expect(worst.first).to_contain_text(rows[0]["src_host"])
    expect(worst.first).to_contain_text(rows[0]["dst_host"])
    walk.click(worst.first.get_by_role("link", name=rows[0]["src_host"]))
    expect(walk.page.locator("h1")).to_contain_text(rows[0]["dst_host"])
    assert walk.clicks <= 1


def test_t3_source_destination_or_link(watched: Watched) -> None:
    walk = Walk(watched.page, MATRIX)
    table = walk.page.locator(".matrix table")
    for totals in (table.locator("tr.sum td"), table.locator("tbody tr:not(.sum) td:last-child")):
        assert totals.count() > 3
        for each in totals.all():
            expect(each).to_be_visible()
            expect(each).to_have_class(CLASS)
    assert walk.clicks == 0


def test_t4_why_a_link_fails_with_a_real_message(watched: Watched) -> None:
    walk = Walk(watched.page, MATRIX)
    walk.click(walk.page.locator(".matrix tbody tr:not(.sum) td.dead a").first)
    expect(walk.page.locator("h1")).to_contain_text("→")
    failure = walk.page.locator("h2", has_text="Failures").locator("~ .wide >> nth=0").locator("tbody tr").first
    expect(failure).to_contain_text("no space left on <host>")
    expect(failure.locator("small")).to_contain_text("e.g. TRANSFER globus_ftp_client: no space left on")
    assert walk.clicks <= 2


def test_t5_since_when(watched: Watched) -> None:
    walk = Walk(watched.page, f"{PAIR}&from=now-1h")
    walk.click(walk.page.get_by_role("group", name="Range until now").get_by_role("link", name="7d"))
    expect(walk.page.locator("#state")).to_contain_text("bins of 1h")
    expect(walk.page.locator("figure", has_text="Efficiency, fts").first).to_be_visible()
    expect(walk.page.locator("th", has_text="First bin (UTC)")).to_be_visible()
    assert walk.clicks <= 1


def test_t6_evidence_for_a_ticket(watched: Watched) -> None:
    walk = Walk(watched.page, PAIR)
    fixed = walk.page.get_by_role("link", name="Link with fixed times")
    with walk.page.expect_download() as told:
        walk.click(walk.page.locator("#state").get_by_role("link", name="CSV"))
    (row,) = csv.DictReader(io.StringIO(told.value.path().read_text()))
    assert (row["src_host"], row["dst_host"]) == ("storm.cnaf.infn.it", "se1.desy.de")
    assert walk.clicks == 1
    walk.click(fixed)
    assert "now" not in walk.page.url


def test_t9_what_is_stuck_or_lost(watched: Watched) -> None:
    walk = Walk(watched.page, "/")
    walk.click(walk.page.get_by_role("navigation", name="Pages").get_by_role("link", name="In flight"))
    for title in ("In flight", "Lost"):
        expect(walk.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    starts = walk.page.locator("main table td.n").all_inner_texts()
    assert sum(map(int, starts)) == 3, "the starts without an end"
    assert walk.clicks <= 1


def test_t10_whether_a_site_is_fine_in_both_directions(watched: Watched) -> None:
    walk = Walk(watched.page, "/sites/unknown")
    for heading in ("In: received from others", "Out: sent to others", "Inside the site"):
        expect(walk.page.get_by_role("heading", name=heading)).to_be_visible()
    assert walk.clicks == 0


def test_t11_whether_a_queue_piles_up(watched: Watched, waiting: None) -> None:
    walk = Walk(watched.page, "/")
    walk.click(walk.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Queues"))
    behind = walk.page.get_by_role("row", name="Consumer.monitoring.fts").locator("td.bad")
    expect(behind).to_contain_text("9 000")
    expect(behind).to_contain_text("behind")
    drawn = walk.page.locator("figure", has_text="Messages that waited")
    expect(drawn.locator(".drawn svg")).to_contain_text("limit 5000")
    assert walk.clicks <= 1
