"""Light, dark or the system's: a button that remembers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.watching import Watched

pytestmark = pytest.mark.stack

PAPER, INK_NIGHT = "rgb(251, 251, 249)", "rgb(20, 24, 27)"
_BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}], indirect=True, ids=["dark"])
def test_the_choice_goes_before_the_system_and_is_kept(watched: Watched) -> None:
    page = watched.page
    page.goto("/help")
    button = page.get_by_role("button", name="Theme")
    expect(button).to_have_text("Theme: system")
    assert page.evaluate(_BACKGROUND) == INK_NIGHT
    button.click()
    expect(button).to_have_text("Theme: light")
    assert page.evaluate(_BACKGROUND) == PAPER
    page.goto("/errors")
    expect(button).to_have_text("Theme: light")
    assert page.evaluate(_BACKGROUND) == PAPER
    button.click()
    page.reload()
    expect(button).to_have_text("Theme: dark")
    assert page.evaluate(_BACKGROUND) == INK_NIGHT


def test_another_tab_follows(watched: Watched) -> None:
    watched.page.goto("/help")
    other = watched.page.context.new_page()
    other.goto("/help")
    other.get_by_role("button", name="Theme").click(click_count=2)
    expect(watched.page.get_by_role("button", name="Theme")).to_have_text("Theme: dark")
    assert watched.page.evaluate(_BACKGROUND) == INK_NIGHT
