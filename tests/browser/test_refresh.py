"""A page that ends now asks again by itself, and takes nothing away from whoever reads it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.watching import Watched
from tests.support.browsed import MINUTE, Site

pytestmark = pytest.mark.stack

MATRIX = "/matrix?rows=host&cols=host"
SOON = 3_000
"""Long enough to see that nothing happens; the page looks every second."""


class Asked:
    """Counts the requests for refreshes."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.on("request", self._request)

    def _request(self, request: Request) -> None:
        self.count += "hx-request" in request.headers


def opened(watched: Watched, address: str = "/") -> tuple[Page, Asked]:
    """The page with a clock that tests move."""
    watched.page.clock.install()
    watched.page.goto(address)
    return watched.page, Asked(watched.page)


def minutes_pass(page: Page, site: Site, count: int = 1) -> None:
    """For the application and for the page."""
    site.clock.now_ms += count * MINUTE
    page.clock.fast_forward(count * MINUTE + 1000)


def test_new_numbers_come_by_themselves_every_minute(watched: Watched, site: Site) -> None:
    page, asked = opened(watched, "/?from=now-1h")
    expect(page.locator("#as-of")).to_have_text("as of 13:02 UTC")
    main = page.locator("main").element_handle()
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")
    expect(page.locator("#freshness summary")).to_contain_text("13:03Z")
    assert not page.evaluate("(old) => old.isConnected", main), "the content is another one"
    expect(page.locator("#told")).to_contain_text("As of 13:03 UTC: fts throughput")
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text("as of 13:04 UTC")
    assert asked.count == 2


def test_a_range_that_does_not_end_now_is_never_asked_again(watched: Watched, site: Site) -> None:
    page, asked = opened(watched, "/?from=2026-11-22T12:00Z&to=2026-11-22T13:00Z")
    expect(page.locator("#live")).to_have_count(0)
    minutes_pass(page, site, 5)
    page.wait_for_timeout(SOON)
    assert asked.count == 0


def test_pause_and_now(watched: Watched, site: Site) -> None:
    page, asked = opened(watched)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#as-of")).to_have_text("as of 13:02 UTC, paused")
    minutes_pass(page, site, 3)
    page.wait_for_timeout(SOON)
    assert asked.count == 0
    page.get_by_role("button", name="Now").click()
    expect(page.locator("#as-of")).to_have_text("as of 13:05 UTC, paused")
    page.get_by_role("button", name="Pause").click()
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text("as of 13:06 UTC")


@pytest.mark.parametrize(
    ("begin", "reason", "end"),
    [
        ("() => getSelection().selectAllChildren(document.querySelector('h1'))", "text is selected", "selection"),
        ("() => document.querySelector('#freshness summary').click()", "a section is open", "details"),
        ("() => document.querySelector('input[name=vo]').focus()", "a form is in use", "focus"),
    ],
    ids=["selection", "details", "form"],
)
def test_it_waits_for_the_reader(watched: Watched, site: Site, begin: str, reason: str, end: str) -> None:
    page, asked = opened(watched)
    page.evaluate(begin)
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text(f"as of 13:02 UTC, waits: {reason}")
    page.wait_for_timeout(SOON)
    assert asked.count == 0
    page.evaluate(
        {
            "selection": "() => getSelection().removeAllRanges()",
            "details": "() => document.querySelector('#freshness summary').click()",
            "focus": "() => document.activeElement.blur()",
        }[end]
    )
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")


def test_a_section_that_the_reader_closed_stays_closed(watched: Watched, site: Site) -> None:
    page, _ = opened(watched)
    section = page.locator("main details[open]").first
    title = section.locator("summary").inner_text()
    section.locator("summary").click()
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")
    closed = page.locator("main details:not([open]) summary", has_text=title)
    expect(closed).to_have_count(1)
    closed.click()
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text("as of 13:04 UTC")


def test_a_hidden_page_rests_and_catches_up(watched: Watched, site: Site) -> None:
    page, asked = opened(watched)
    hidden = "(is) => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => is}); }"
    page.evaluate(hidden, True)
    minutes_pass(page, site, 2)
    page.wait_for_timeout(SOON)
    assert asked.count == 0
    page.evaluate(hidden, False)
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#as-of")).to_have_text("as of 13:04 UTC")


@pytest.mark.parametrize("context", [{"viewport": {"width": 500, "height": 260}}], indirect=True, ids=["small"])
def test_scroll_and_focus_stay(watched: Watched, site: Site) -> None:
    page, _ = opened(watched, MATRIX)
    page.evaluate("() => { document.querySelector('.matrix').scrollTo(150, 90); scrollTo(0, 210); }")
    link = page.locator(".matrix tbody tr:nth-child(3) td:nth-child(5) a")
    page.evaluate("(a) => a.focus({preventScroll: true})", link.element_handle())
    page.keyboard.press("Escape")
    where = "() => [scrollY, ...['scrollLeft', 'scrollTop'].map((each) => document.querySelector('.matrix')[each])]"
    before = page.evaluate(where)
    assert all(before), "the test shows nothing: it is not scrolled"
    minutes_pass(page, site)
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")
    assert page.evaluate(where) == before
    expect(link).to_be_focused()


def test_a_failure_keeps_the_old_content_with_its_time_and_cause_and_recovers(watched: Watched, site: Site) -> None:
    page, _ = opened(watched)
    watched.excused.append("Failed to load resource")
    watched.excused.append("Response Status Error Code 503")

    def away(route: Route) -> None:
        problem = '{"title": "Not now", "detail": "the database cannot be reached: try again", "instance": "r1"}'
        route.fulfill(status=503, content_type="application/problem+json", body=problem)

    text = page.locator("main").inner_text()
    page.route("**/*", away)
    minutes_pass(page, site)
    expect(page.locator("#failing")).to_contain_text(
        "As of 13:02 UTC, not refreshed since. Not now: the database cannot"
    )
    expect(page.locator("#as-of")).to_have_text("as of 13:02 UTC")
    assert page.locator("main").inner_text() == text
    assert watched.accessibility() == []
    page.unroute("**/*", away)
    page.clock.fast_forward(11_000)
    expect(page.locator("#failing")).to_be_hidden()
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")


def test_an_answer_that_is_not_the_page_does_not_empty_it(watched: Watched, site: Site) -> None:
    page, _ = opened(watched)
    page.route("**/*", lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Sign in</h1>"))
    minutes_pass(page, site)
    expect(page.locator("#failing")).to_contain_text("The answer is not this page")
    expect(page.locator("main h1")).to_have_text("Overview")
