"""A real Chromium before the real application, both of them once for each module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.watching import Watched
from tests.support import postgres
from tests.support.browsed import NOW_MS, Site, application, site_over, traffic
from tests.support.chromium import Missing, chromium
from tests.support.page_routes import crawl
from tests.support.replayed import replayed

TOKEN = {"Authorization": "Bearer reads"}
EXPECT_WITHIN_MS = 20_000
"""Playwright waits 5 s by itself, which the largest page exceeds where three processes of tests share two cores."""
# Without these a new profile asks the browser's maker for updates and lists.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. It ends with its module: its event loop must not be there in other tests."""
    try:
        program = chromium()
    except Missing as missing:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    expect.set_options(timeout=EXPECT_WITHIN_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages over a day of traffic; nobody changes it."""
    folder = tmp_path_factory.mktemp("site")
    with (
        postgres.template(postgres_server) as empty,
        replayed(empty, folder, traffic()) as url,
        site_over(url) as found,
    ):
        app = application(url, found.clock)  # of its own: it ends with its client
        with TestClient(app, headers=TOKEN | {"accept": "text/html"}) as client:
            found.addresses |= crawl(app, client, ["/", "/matrix?rows=host&cols=host", "/sign-in"])
        yield found


@pytest.fixture
def context(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A new profile of a reader; every host but the application's is out of reach."""
    wanted = {"viewport": {"width": 1280, "height": 900}, "base_url": site.url, "extra_http_headers": TOKEN}
    opened = browser.new_context(**(wanted | getattr(request, "param", {})))
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page of that profile."""
    return context.new_page()


@pytest.fixture
def watched(page: Page, site: Site) -> Iterator[Watched]:
    """A page of which everything that goes wrong is remembered, and nothing may have at the end."""
    site.clock.now_ms = NOW_MS
    found = Watched(page, site.url)
    yield found
    assert found.wrong() == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures for people go; not committed."""
    folder = Path(__file__).parent / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
