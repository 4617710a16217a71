"""Every page that the application has, as people get it: found by its routes, so a new page is looked at as well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.watching import Watched
from tests.support.browsed import Site
from tests.support.page_routes import page_paths

pytestmark = pytest.mark.stack

THEMES = [{"color_scheme": "light"}, {"color_scheme": "dark"}]
FURTHER = {
    "/sign-in": "/sign-in?next=/transfers",  # who has signed in is not led there
    "matrix of hosts": "/matrix?rows=host&cols=host",
    "matrix as a list": "/matrix?rows=host&cols=host&layout=list",
    "matrix with open groups, in shades": "/matrix?open_src=country:unknown&open_dst=country:unknown&colour=failed",
    "empty": "/?from=2026-11-20&to=2026-11-21",
    "nothing in the matrix": "/matrix?from=2026-11-20&to=2026-11-21",
    "filters": "/errors?vo=cms&vo=!atlas&technology=fts&src=host:a-host-with-a-rather-long-name.of.nobody.example.org",
}
NO_PAGE = {"problem": "/?vvo=cms", "nowhere": "/nowhere"}
"""Addresses that are answered with an error, as a page."""
EVERY = list(dict.fromkeys([*page_paths(), *FURTHER, *NO_PAGE]))
SCROLLS_SIDEWAYS = """() => {
  const wide = document.documentElement.clientWidth;
  return document.documentElement.scrollWidth <= wide ? [] : [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > wide + 1 && !each.closest(".wide, .matrix, .unseen"))
    .map((each) => each.outerHTML.slice(0, 120));
}"""


def visit(watched: Watched, site: Site, name: str) -> None:
    """Opens the page of that route or name."""
    if name in NO_PAGE:
        watched.excused.append("Failed to load resource: the server responded with a status of 40")
    address = (FURTHER | NO_PAGE).get(name) or site.addresses.get(name)
    assert address is not None, f"no link leads to {name}"
    reply = watched.page.goto(address)
    assert reply is not None
    assert (reply.status == 200) is (name not in NO_PAGE)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("context", THEMES, indirect=True, ids=lambda theme: theme["color_scheme"])
def test_nothing_breaks_wcag_the_policy_or_the_console(
    watched: Watched, site: Site, name: str, screenshots: Path, request: pytest.FixtureRequest
) -> None:
    visit(watched, site, name)
    theme: dict[str, Any] = request.node.callspec.params["context"]
    file = re.sub(r"\W+", "-", name).strip("-") or "overview"
    watched.page.screenshot(path=screenshots / f"{file}.{theme['color_scheme']}.png", full_page=True)
    assert watched.accessibility() == []


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("context", [{"viewport": {"width": 320, "height": 640}}], indirect=True, ids=["320px"])
def test_a_narrow_page_does_not_scroll_sideways(watched: Watched, site: Site, name: str, screenshots: Path) -> None:
    visit(watched, site, name)
    file = re.sub(r"\W+", "-", name).strip("-") or "overview"
    watched.page.screenshot(path=screenshots / f"{file}.narrow.png", full_page=True)
    assert watched.page.evaluate("() => document.documentElement.scrollWidth") <= 320, watched.page.evaluate(
        SCROLLS_SIDEWAYS
    )
