"""Pages on paper, at twice their size, and plots zoomed without dragging."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import FURTHER, SCROLLS_SIDEWAYS
from tests.browser.watching import Watched
from tests.support.browsed import Site
from tests.support.page_routes import page_paths

pytestmark = pytest.mark.stack

A4 = {"width": 718, "height": 1047}
"""A sheet within margins of 10 mm, in CSS pixels."""
PAGES = [*page_paths(), "matrix of hosts", "filters"]
CONTROLS = """() => [...document.querySelectorAll("nav, form, input, button, select, .ranges, .live, .saves, .only")]
  .filter((each) => each.checkVisibility() && each.getClientRects().length)
  .map((each) => each.outerHTML.slice(0, 100))"""
CUT_OFF = """() => [...document.querySelectorAll("body *")]
  .filter((each) => !each.closest("svg, .unseen") && each.getClientRects().length)
  .filter((each) => {
    const style = getComputedStyle(each);
    const hides = [style.overflowX, style.overflowY].some((each) => each !== "visible");
    const room = document.documentElement.clientWidth + 1;
    return (hides && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1))
      || each.getBoundingClientRect().right > room;
  })
  .map((each) => each.outerHTML.slice(0, 140))"""
FUNCTIONS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")]
  .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.matches(".skip"))
  .map((each) => `${each.tagName} ${each.name || each.textContent.trim()}`)"""


def opened(page: Page, site: Site, name: str) -> None:
    page.goto(FURTHER.get(name) or site.addresses[name])
    page.wait_for_load_state("networkidle")


def functions(page: Page) -> list[str]:
    """What can be done on a page, once all of its pictures were seen and drawn."""
    for figure in page.locator("figure[data-plot]:visible").all():
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".saves button")).to_have_count(4)
    return sorted(page.evaluate(FUNCTIONS))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("context", [{"color_scheme": "dark", "viewport": A4}], indirect=True, ids=["A4"])
def test_paper_has_no_controls_and_cuts_nothing_off(watched: Watched, site: Site, name: str, screenshots: Path) -> None:
    page = watched.page
    page.emulate_media(media="print", color_scheme="dark")
    opened(page, site, name)
    file = re.sub(r"\W+", "-", name).strip("-") or "overview"
    page.screenshot(path=screenshots / f"{file}.paper.png", full_page=True)
    assert page.evaluate(CONTROLS) == []
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("name", PAGES)
def test_at_twice_the_size_nothing_is_lost(watched: Watched, site: Site, name: str) -> None:
    page = watched.page
    opened(page, site, name)
    usual = functions(page)
    page.set_viewport_size({"width": 640, "height": 450})  # what zoom by 200 % leaves of 1280 x 900
    page.reload()
    page.wait_for_load_state("networkidle")
    assert functions(page) == usual
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 640, page.evaluate(SCROLLS_SIDEWAYS)


def zoom(page: Page, name: str) -> None:
    link = page.get_by_role("group", name="Move or zoom in time").get_by_role("link", name=name)
    link.focus()
    link.press("Enter")


@pytest.mark.parametrize("context", [{}, {"java_script_enabled": False}], indirect=True, ids=["scripts", "no scripts"])
def test_a_plot_is_moved_and_zoomed_by_keyboard_alone(page: Page, site: Site) -> None:
    state = page.locator("#state")
    page.goto("/?from=now-4d&vo=cms&bin=1h")
    zoom(page, "closer")
    expect(state).to_contain_text("2026-11-20 13:00Z to 2026-11-22 13:10Z UTC, bins of 10m")
    zoom(page, "closer")
    expect(state).to_contain_text("2026-11-21 13:00Z to 2026-11-22 13:10Z UTC, bins of 10m")
    zoom(page, "earlier")
    expect(state).to_contain_text("2026-11-21 01:10Z to 2026-11-22 01:10Z UTC")
    zoom(page, "closer")
    expect(state).to_contain_text("2026-11-21 07:10Z to 2026-11-21 19:10Z UTC")
    zoom(page, "wider")
    expect(state).to_contain_text("2026-11-21 01:10Z to 2026-11-22 01:10Z UTC")
    zoom(page, "later")
    assert "now" in page.url
    expect(page.locator(".chip")).to_contain_text("vo cms")
    assert page.get_by_role("link", name="later").get_attribute("aria-disabled") == "true"
