"""The address holds all that is shown: in another browser, later, and on the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import TOKEN
from tests.browser.watching import Watched
from tests.support.browsed import HOSTILE, MINUTE, Site
from tests.support.page_routes import page_paths

pytestmark = pytest.mark.stack

WITHOUT_DRAWINGS = """() => {
  const copy = document.querySelector("main").cloneNode(true);
  for (const drawn of copy.querySelectorAll(".drawn, .saves")) drawn.remove();
  const state = document.querySelector("#state");
  return [document.title, state && state.innerText, copy.textContent.replace(/\\s+/g, " ")].join("\\n");
}"""
"""What a page says, without what a script draws once a figure is scrolled to."""

ROWS = "() => [...document.querySelectorAll('main tbody tr')].map((each) => each.innerText)"


def text(page: Page) -> str:
    found = page.evaluate(WITHOUT_DRAWINGS)
    assert isinstance(found, str)
    return found


def elsewhere(browser: Browser, site: Site, url: str) -> str:
    """What another reader sees at this address."""
    context = browser.new_context(base_url=site.url, extra_http_headers=TOKEN)
    try:
        page = context.new_page()
        page.goto(url)
        page.wait_for_load_state("networkidle")
        return text(page)
    finally:
        context.close()


def leave_out(page: Page) -> None:
    page.locator("figure").first.get_by_role("link", name="lhcb", exact=True).click()
    expect(page.locator("tr.off")).to_have_count(1)


def other_metric(page: Page) -> None:
    page.locator('a[data-metric="failed"]').click()
    expect(page.locator(".matrix caption")).to_contain_text("Failed of fts")


def come_closer(page: Page) -> None:
    page.get_by_role("link", name="closer").click()
    page.wait_for_url("**from=now-12h**")


@pytest.mark.parametrize("path", page_paths())
def test_the_address_of_a_page_shows_the_same_in_another_browser(
    watched: Watched, browser: Browser, site: Site, path: str
) -> None:
    page = watched.page
    page.goto(site.addresses.get(path, path))
    page.wait_for_load_state("networkidle")
    assert elsewhere(browser, site, page.url) == text(page)


@pytest.mark.parametrize(
    ("address", "change"),
    [("/", leave_out), ("/matrix?rows=host&cols=host", other_metric), ("/", come_closer)],
    ids=["a series left out", "another metric", "closer"],
)
def test_so_does_the_address_after_a_change(
    watched: Watched, browser: Browser, site: Site, address: str, change: Callable[[Page], None]
) -> None:
    page = watched.page
    page.goto(address)
    before = text(page)
    change(page)
    assert text(page) != before
    assert elsewhere(browser, site, page.url) == text(page)


def test_back_and_forward_lead_through_what_was_seen(watched: Watched, site: Site) -> None:
    page = watched.page
    seen = []
    page.goto("/?from=now-6h")
    seen.append(text(page))
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Errors").click()
    expect(page.locator("h1")).to_contain_text("Errors")
    seen.append(text(page))
    page.locator("main tbody a").first.click()
    expect(page.locator("h1")).to_contain_text("kind of failure")
    seen.append(text(page))
    page.get_by_role("link", name="7d").click()
    expect(page.locator("#state")).to_contain_text("bins of 1h")
    seen.append(text(page))
    for expected in seen[-2::-1]:
        page.go_back()
        assert text(page) == expected
    for expected in seen[1:]:
        page.go_forward()
        assert text(page) == expected


@pytest.mark.parametrize(
    "address",
    ["/transfers?from=now-1h&state=failed", "/errors?from=now-6h", "/matrix?rows=host&cols=host&metric=ok&from=now-6h"],
)
def test_a_link_with_fixed_times_shows_the_same_rows_an_hour_later(
    watched: Watched, browser: Browser, site: Site, address: str
) -> None:
    page = watched.page
    page.goto(address)
    rows = page.evaluate(ROWS)
    assert rows
    page.get_by_role("link", name="Link with fixed times").click()
    page.wait_for_url(lambda url: "now" not in url)
    fixed = page.url
    assert page.evaluate(ROWS) == rows
    site.clock.now_ms += 61 * MINUTE
    page.goto(fixed)
    assert page.evaluate(ROWS) == rows
    if "from=now-1h" in address:
        page.goto(address)
        assert page.evaluate(ROWS) != rows, "the test shows nothing: an hour changes nothing"


def test_a_hostile_name_is_left_out_like_any_other(watched: Watched, browser: Browser, site: Site) -> None:
    page = watched.page
    page.goto("/")
    page.locator("figure").first.get_by_role("link", name=HOSTILE, exact=True).click()
    expect(page.locator("tr.off")).to_contain_text(HOSTILE)
    assert elsewhere(browser, site, page.url) == text(page)
