"""Legends that leave series out, gaps and targets in pictures, and names that complete as one types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watching import Watched
from tests.support import postgres
from tests.support.browsed import MINUTE, Site, site_over
from tests.support.lines import COMPLETE, NOON_MS, complete, line
from tests.support.replayed import replayed

pytestmark = pytest.mark.stack

PAIR = "/links?src=host:eoscms.cern.ch&dst=host:storm.cnaf.infn.it&from=2026-11-22T11:00Z&to=2026-11-22T14:00Z"
FILLS = "(f) => [...f.querySelectorAll('.drawn path')].map((p) => p.getAttribute('fill')).filter(Boolean)"
ATLAS, CMS, LHCB = "rgb(0, 114, 178)", "rgb(230, 159, 0)", "rgb(0, 158, 115)"


def lines() -> list[str]:
    """Three VOs from 11:00 to 13:02, and silence from 12:00 to 12:40; between 11:30 and 11:40 only another pair."""
    found = []
    for number, minute in enumerate(range(1, 122)):
        at_ms = NOON_MS - 60 * MINUTE + minute * MINUTE
        if 60 <= minute < 102:  # whoever ended at 12:40 moved bytes before
            continue
        fields = {"tr_bt_transfered": 600_000_000, "vo": ("atlas", "cms", "lhcb")[number % 3]}
        if 30 <= minute < 42:
            fields["src_hostname"] = "elsewhere.example.org"
        found.append(line(COMPLETE, complete(number, at_ms, **fields), at_ms))
    return found


@pytest.fixture(scope="module")
def site(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with postgres.template(postgres_server) as empty, replayed(empty, folder, lines()) as url, site_over(url) as found:
        yield found


def figure(page: Page, title: str = "Throughput by VO") -> Locator:
    found = page.locator("figure", has_text=title).first
    found.scroll_into_view_if_needed()
    expect(found.locator(".drawn svg")).to_be_visible()
    return found


def test_a_click_leaves_a_series_out_and_the_others_as_they_are(watched: Watched) -> None:
    page = watched.page
    page.goto(PAIR)
    shown = figure(page)
    assert {ATLAS, CMS, LHCB} <= set(shown.evaluate(FILLS))
    rows = shown.locator("table.legend tbody tr")
    order = rows.locator("a:not(.only)").all_inner_texts()
    rows.nth(1).get_by_role("link", name="cms", exact=True).click()
    expect(rows.nth(1)).to_have_class("off")
    expect(figure(page).locator("figcaption")).to_contain_text("of the series shown")
    assert {ATLAS, LHCB} <= set(shown.evaluate(FILLS))
    assert CMS not in shown.evaluate(FILLS)
    assert rows.locator("a:not(.only)").all_inner_texts() == order == ["atlas", "cms", "lhcb"]
    assert page.url.endswith("&hidden=cms")
    assert "hidden=cms" in (page.get_by_role("link", name="Link with fixed times").get_attribute("href") or "")
    rows.nth(1).get_by_role("link", name="cms", exact=True).press("Enter")
    expect(page.locator("tr.off")).to_have_count(0)
    expect(rows.nth(1).get_by_role("link", name="cms", exact=True)).to_be_focused()
    assert "hidden" not in page.url


def test_alt_and_click_shows_one_alone_and_then_all_again(watched: Watched) -> None:
    page = watched.page
    page.goto(PAIR)
    name = figure(page).get_by_role("link", name="lhcb", exact=True)
    name.click(modifiers=["Alt"])
    expect(page.locator("tr.off")).to_have_count(2)
    assert page.url.endswith("&hidden=atlas&hidden=cms")
    assert not {ATLAS, CMS} & set(figure(page).evaluate(FILLS))
    name.click(modifiers=["Alt"])
    expect(page.locator("tr.off")).to_have_count(0)


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True, ids=["no scripts"])
def test_without_scripts_legends_are_links(page: Page) -> None:
    page.goto(PAIR)
    shown = page.locator("figure", has_text="Throughput by VO").first
    assert shown.locator("svg.plot rect.s1").count() > 0
    shown.get_by_role("link", name="cms", exact=True).click()
    expect(shown.locator("svg.plot rect.s1")).to_have_count(0)
    assert shown.locator("svg.plot rect.s2").count() > 0
    shown.get_by_role("link", name="Only cms").click()
    expect(shown.locator("svg.plot rect.s2")).to_have_count(0)


def test_silence_is_a_hatched_gap_and_rest_is_0(watched: Watched, tmp_path: Path, screenshots: Path) -> None:
    page = watched.page
    page.goto(PAIR)
    shown = figure(page)
    expect(shown.locator("figcaption")).to_contain_text("Grey hatching: no data received.")
    expect(shown.locator("svg.plot .gap title")).to_have_text(
        "no data received from 2026-11-22 12:00Z to 2026-11-22 12:40Z"
    )
    shown.locator(".drawn").press("Home")
    told = shown.get_by_role("status")
    for _ in range(3):
        shown.locator(".drawn").press("ArrowRight")
    expect(told).to_contain_text("11:30Z to 2026-11-22T11:40Z; atlas: 0 B/s; cms: 0 B/s; lhcb: 0 B/s")
    for _ in range(4):
        shown.locator(".drawn").press("ArrowRight")
    expect(told).to_contain_text("12:10Z to 2026-11-22T12:20Z; no data received; atlas: no value; cms: no value")
    with page.expect_download() as saved:
        shown.get_by_role("button", name="as CSV").click()
    rows = saved.value.path().read_text().splitlines()
    assert rows[4].endswith(",0,0,0"), "heard, and nothing moved"
    assert all(row.endswith(",,,") for row in rows[7:11]), "not heard"
    assert rows[14].endswith(",,,"), "not yet"
    page.screenshot(path=screenshots / "figure.gap.png", full_page=True)
    line = figure(page, "Efficiency, fts")
    assert line.locator("svg.plot .line path").count() == 3
    expect(line.locator("svg.plot rect.so-far title")).to_contain_text("not over yet: from 2026-11-22 13:00Z")
    assert watched.accessibility() == []


def test_a_target_is_drawn_and_told_in_words(watched: Watched, screenshots: Path) -> None:
    page = watched.page
    page.goto(PAIR)
    page.get_by_label("Target rate").fill("12 MB/s")
    page.get_by_role("button", name="Compare the mean").click()
    shown = figure(page)
    expect(shown.locator("figcaption")).to_contain_text("1 h 20 min mean")
    expect(shown.locator("figcaption")).to_contain_text("% of the target 12.0 MB/s")
    for picture in (shown.locator(".drawn svg"), shown.locator("svg.plot")):
        expect(picture).to_contain_text("target 12.0 MB/s")
        expect(picture).to_contain_text("mean ")
    page.screenshot(path=screenshots / "figure.target.png")
    assert watched.accessibility() == []
    watched.excused.append("status of 400")
    reply = page.goto(f"{PAIR}&target=20Mbit")
    assert reply is not None
    assert reply.status == 400
    expect(page.locator("main")).to_contain_text("write 20MB/s, 1.5GB/s or 5000000")


def test_names_complete_as_one_types(watched: Watched) -> None:
    page = watched.page
    page.goto("/vos")
    options = page.locator("datalist#names option")

    def offered() -> list[str | None]:
        return [each.get_attribute("value") for each in options.all()]

    page.get_by_label("VO", exact=True).press_sequentially("!l")
    expect(options).to_have_count(1)
    assert offered() == ["!lhcb"]
    page.locator("input[name=src]").press_sequentially("host:else")
    expect(options).to_have_attribute("value", "host:elsewhere.example.org")
    assert page.locator("input[list=names]").count() == 1
