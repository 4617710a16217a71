"""Pictures that a script draws from the values that the page carries."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watching import Watched
from tests.support.browsed import HOSTILE, MINUTE, Site

pytestmark = pytest.mark.stack

ADDRESS = "/?from=now-1h"


def figure(page: Page, title: str = "Throughput by VO") -> Locator:
    """The figure with that title, drawn."""
    found = page.locator("figure", has_text=title).first
    found.scroll_into_view_if_needed()
    expect(found.locator(".drawn svg")).to_be_visible()
    return found


def saved(page: Page, button: Locator, folder: Path) -> tuple[str, bytes]:
    """Name and content of the file that a button gives."""
    with page.expect_download() as told:
        button.click()
    file = folder / "saved"
    told.value.save_as(file)
    return told.value.suggested_filename, file.read_bytes()


def test_arrow_keys_read_the_values_of_the_api(watched: Watched, screenshots: Path) -> None:
    page = watched.page
    page.goto(ADDRESS)
    shown = figure(page)
    expect(shown.locator(".replaced")).to_be_hidden()
    shown.locator(".drawn").press("End")
    told = shown.get_by_role("status")
    expect(told).to_contain_text("2026-11-22T13:00Z to 2026-11-22T13:02Z, so far")
    shown.locator(".drawn").press("ArrowLeft")
    expect(told).to_contain_text("2026-11-22T12:50Z to 2026-11-22T13:00Z;")
    rows = page.request.get("/api/v1/series?from=now-1h&by=vo&shape=objects").json()["rows"]
    value = next(r for r in rows if r["vo"] == "cms" and r["window_start"].startswith("2026-11-22T12:50"))["throughput"]
    expect(told).to_contain_text(f"cms: {value / 1e6:.1f} MB/s")
    expect(shown.locator(".drawn svg")).to_contain_text("cms:")
    page.screenshot(path=screenshots / "figure.read.png")
    assert watched.accessibility() == []


def test_the_files_hold_the_values_and_what_they_are(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.goto(ADDRESS)
    buttons = figure(page).locator(".saves button")
    assert buttons.all_inner_texts() == ["PNG", "SVG", "CSV", "JSON"]
    files = [saved(page, buttons.nth(place), tmp_path) for place in range(4)]
    assert all("2026-11-22T12-00Z" in name for name, _ in files)
    png, svg, table, document = (content for _, content in files)
    assert png.startswith(b"\x89PNG")
    text = svg.decode()
    for part in ("Throughput by VO, fts", "2026-11-22T12:00Z to 2026-11-22T13:10Z", "atlas", "from=now-1h"):
        assert part in text
    assert "<img" not in text, "a hostile name stays text"
    plot = json.loads(document)
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [row["unfinished"] for row in rows] == ["false"] * 6 + ["true"]
    for each in plot["series"]:
        column = [row[f"{each['name']}_B_s"] for row in rows]
        assert [float(value) if value else None for value in column] == each["values"]
    assert HOSTILE in [each["name"] for each in plot["series"]]


def test_a_filter_changes_no_colour(watched: Watched) -> None:
    page = watched.page

    def colours() -> set[str]:
        return set(
            figure(page).evaluate(
                "(f) => [...f.querySelectorAll('.drawn path')].map((p) => p.getAttribute('fill')).filter(Boolean)"
            )
        )

    page.goto(ADDRESS)
    every = colours()
    page.goto(f"{ADDRESS}&vo=lhcb")
    assert "rgb(204, 121, 167)" in every & colours()


def test_on_paper_the_picture_of_the_server_stays(watched: Watched, site: Site) -> None:
    page = watched.page
    page.goto(ADDRESS)
    shown = figure(page)
    page.emulate_media(media="print")
    expect(shown.locator(".drawn")).to_be_hidden()
    expect(shown.locator("svg.plot")).to_be_visible()


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True, ids=["no scripts"])
def test_without_scripts_the_picture_of_the_server_stays(page: Page) -> None:
    page.goto(ADDRESS)
    expect(page.locator("figure svg.plot").first).to_be_visible()
    expect(page.locator("figure button")).to_have_count(0)
    for name in ("live", "theme"):
        expect(page.locator(f"#{name}")).to_be_hidden()


def test_a_refresh_draws_the_new_values(watched: Watched, site: Site) -> None:
    page = watched.page
    page.clock.install()
    page.goto(ADDRESS)
    figure(page)
    site.clock.now_ms += MINUTE
    page.clock.fast_forward(MINUTE + 1000)
    expect(page.locator("#as-of")).to_have_text("as of 13:03 UTC")
    shown = figure(page)
    shown.locator(".drawn").press("End")
    expect(shown.get_by_role("status")).to_contain_text("2026-11-22T13:03Z, so far")
