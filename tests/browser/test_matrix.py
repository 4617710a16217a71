"""The matrix by keyboard and pointer."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watching import Watched
from tests.support.browsed import MINUTE, Site

pytestmark = pytest.mark.stack

MATRIX = "/matrix?rows=host&cols=host"


def cell(page: Page, row: int, column: int) -> Locator:
    """Counted from 1 among the body's cells, totals included."""
    return page.locator(f".matrix tbody tr:nth-child({row}) td:nth-child({column + 1})")


def focused(page: Page) -> tuple[int, int]:
    """Where the focus is, counted likewise; headers are 0."""
    found = page.evaluate(
        """() => {
          const cell = document.activeElement.closest("td, th");
          return cell && [cell.closest("thead") ? 0 : cell.parentNode.sectionRowIndex + 1, cell.cellIndex];
        }"""
    )
    assert found is not None, "the focus is outside of the cells"
    return found[0], found[1]


def size(page: Page) -> tuple[int, int]:
    """Rows and columns of cells, totals included."""
    rows = page.locator(".matrix tbody tr")
    return rows.count(), rows.first.locator("td").count()


def test_it_is_one_tab_stop_and_all_by_keys(watched: Watched) -> None:
    page = watched.page
    page.goto(MATRIX)
    rows, columns = size(page)
    assert page.locator('.matrix [tabindex="0"]').count() == 1
    page.locator(".choices a").last.focus()
    page.keyboard.press("Tab")
    assert focused(page) == (1, 1)
    for key, expected in (
        ("ArrowRight", (1, 2)),
        ("ArrowDown", (2, 2)),
        ("ArrowLeft", (2, 1)),
        ("ArrowLeft", (2, 0)),
        ("ArrowLeft", (2, 0)),
        ("End", (2, columns)),
        ("ArrowRight", (2, columns)),
        ("Home", (2, 1)),
        ("Control+End", (rows, columns)),
        ("ArrowDown", (rows, columns)),
        ("Control+Home", (1, 1)),
        ("PageDown", (rows, 1)),
        ("PageUp", (1, 1)),
        ("ArrowUp", (0, 1)),
        ("ArrowUp", (0, 1)),
        ("ArrowLeft", (0, 1)),
        ("ArrowDown", (1, 1)),
    ):
        page.keyboard.press(key)
        assert focused(page) == expected, key
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('.matrix')") is None
    page.keyboard.press("Shift+Tab")
    assert focused(page) == (1, 1), "it comes back to where it was"


def test_a_focused_cell_is_never_under_the_headers(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 700, "height": 420})
    page.goto(MATRIX)
    page.locator('.matrix [tabindex="0"]').focus()
    page.keyboard.press("Home")
    rows, columns = size(page)
    covering = """() => {
      const own = document.activeElement;
      const box = own.getBoundingClientRect();
      const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      const clear = seen && (seen.closest("td") === own.closest("td") || seen.closest("#card"));
      return clear ? null : `${seen && seen.outerHTML.slice(0, 200)} over ${JSON.stringify(box)}`;
    }"""
    for key in ["ArrowRight"] * (columns - 1) + ["ArrowDown"] * (rows - 1) + ["Home"] + ["ArrowUp"] * (rows - 1):
        page.keyboard.press(key)
        assert page.evaluate(covering) is None, f"{focused(page)} after {key}"


def test_the_card_has_the_numbers_of_the_cell(watched: Watched, site: Site) -> None:
    page = watched.page
    page.goto(MATRIX)
    row = page.request.get("/api/v1/matrix?from=now-6h&technology=fts&rows=host&cols=host&shape=objects").json()["rows"]
    pair = next(each for each in row if each["failed"] and each["ok"])
    where = page.locator(".matrix tbody a", has_not_text="all").and_(
        page.locator(f'a[href*="src=host%3A{pair["src_host"]}&dst=host%3A{pair["dst_host"]}&"]')
    )
    where.hover()
    card = page.get_by_role("tooltip")
    told = dict(zip(card.locator("dt").all_inner_texts(), card.locator("dd").all_inner_texts(), strict=True))
    assert (told["from"], told["to"]) == (pair["src_host"], pair["dst_host"])
    assert (told["ok"], told["failed"], told["aborted"]) == (str(pair["ok"]), str(pair["failed"]), str(pair["aborted"]))
    assert told["n"] == str(pair["ok"] + pair["failed"])
    assert told["efficiency"] == f"{100 * pair['ok'] / (pair['ok'] + pair['failed']):.1f} %"
    assert told["volume"].endswith("GB")
    assert told["throughput"].endswith("B/s")
    lit = page.locator(".matrix .lit").all_inner_texts()
    assert [each.strip() for each in lit] == [pair["dst_host"], pair["src_host"]]


def test_the_card_stays_under_the_pointer_and_escape_closes_it(watched: Watched) -> None:
    page = watched.page
    page.goto(MATRIX)
    cell(page, 2, 1).hover()
    card = page.get_by_role("tooltip")
    card.hover()
    page.wait_for_timeout(500)
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert page.locator(".matrix .lit").count() == 0
    cell(page, 1, 2).hover()
    expect(card).to_be_visible()
    page.mouse.move(2, 2)
    expect(card).to_be_hidden()


def test_a_group_opens_by_key(watched: Watched) -> None:
    page = watched.page
    page.goto("/matrix")
    rows, columns = size(page)
    page.locator('.matrix [tabindex="0"]').focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(":focus")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    page.wait_for_url("**open_src=country%3Aunknown**")
    assert size(page)[0] == rows + 1, "its one site"
    assert page.locator('.matrix [aria-expanded="true"]').count() == 1
    page.go_back()
    page.locator('.matrix [tabindex="0"]').focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**open_dst=country%3Aunknown**")
    assert size(page) == (rows, columns + 1)


def test_enter_opens_the_link_and_shift_enter_its_errors(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{MATRIX}&vo=cms")
    link = page.locator(".matrix tbody tr:first-child a").first
    behind = parse_qs(urlsplit(link.get_attribute("href") or "").query)
    link.focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_url("**/errors?**")
    assert parse_qs(urlsplit(page.url).query) == behind
    page.go_back()
    page.locator(".matrix tbody tr:first-child a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/links?**")


def test_another_metric_needs_no_request_and_stands_in_the_address(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{MATRIX}&metric=failed")
    expected = page.locator(".matrix tbody").inner_text()
    page.goto(MATRIX)
    assert page.locator(".matrix tbody").inner_text() != expected
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator('a[data-metric="failed"]').click()
    assert page.locator(".matrix tbody").inner_text() == expected
    assert [each for each in requests if "/static/icon." not in each] == [], "the browser asks for the icon anew"
    assert "metric=failed" in page.url
    expect(page.locator('.choices [data-metric][aria-current="true"]')).to_have_text(["failed"])
    page.get_by_role("link", name="list", exact=True).click()
    assert "metric=failed" in page.url, "other links of the page carry it"
    page.go_back()
    assert page.locator(".matrix tbody").inner_text() == expected


def test_focus_and_card_survive_a_refresh(watched: Watched, site: Site) -> None:
    page = watched.page
    page.clock.install()
    page.goto(MATRIX)
    page.locator('.matrix [tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    before = focused(page)
    card = page.get_by_role("tooltip")
    text = card.inner_text()
    site.clock.now_ms += MINUTE
    page.clock.fast_forward(MINUTE + 1000)
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")
    assert focused(page) == before
    expect(card).to_be_visible()
    assert card.inner_text().splitlines()[:4] == text.splitlines()[:4]
    page.keyboard.press("ArrowDown")
    assert focused(page) == (before[0] + 1, before[1])
