"""PostgreSQL is stopped while somebody looks: what was shown stays, marked, and comes back by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from pipeline.devstack.plan import POSTGRES
from pipeline.devstack.stack import Stack
from tests.browser.conftest import TOKEN
from tests.browser.watching import Watched
from tests.support import postgres
from tests.support.browsed import MINUTE, Site, site_over, traffic
from tests.support.replayed import replayed
from tests.support.services import services
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

VALUES = "() => [...document.querySelectorAll('.tile b, table.legend td, main td.n')].map((each) => each.innerText)"
PATHS = "(figure) => [...figure.querySelectorAll('.drawn path')].map((each) => each.getAttribute('d'))"


@dataclass
class Outage:
    """The services that a test stops: of its own, since others use the shared ones."""

    services: Stack

    def begin(self) -> None:
        self.services.stop(POSTGRES)

    def end(self) -> None:
        self.services.start(POSTGRES)


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSFERSCOPE_")}
    with services(tmp_path_factory.mktemp("outage"), environment, {POSTGRES}) as running:
        yield Outage(running)


@pytest.fixture(scope="module")
def site(outage: Outage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    server, folder = outage.services.env()[postgres.VARIABLE], tmp_path_factory.mktemp("site")
    with postgres.template(server) as empty, replayed(empty, folder, traffic()) as url, site_over(url) as found:
        yield found


def minute_passes(page: Page, site: Site) -> None:
    site.clock.now_ms += MINUTE
    page.clock.fast_forward(MINUTE + 1000)


@pytest.mark.parametrize(
    "address", ["/", "/matrix?rows=host&cols=host", "/links?src=host:se1.desy.de&dst=host:se2.desy.de"]
)
def test_the_old_content_stays_with_its_time_and_the_cause_and_recovers(
    watched: Watched, site: Site, outage: Outage, address: str
) -> None:
    page = watched.page
    watched.excused += ["Failed to load resource", "Response Status Error Code 503"]
    page.clock.install()
    page.goto(address)
    drawn = page.locator("figure").first
    pictured = drawn.count() > 0
    if pictured:
        expect(drawn.locator(".drawn svg")).to_be_visible()
    before = page.locator("main").inner_text(), page.evaluate(VALUES), drawn.evaluate(PATHS) if pictured else []
    outage.begin()
    try:
        minute_passes(page, site)
        failing = page.locator("#failing")
        expect(failing).to_contain_text("As of 13:02 UTC, not refreshed since.")
        expect(failing).to_contain_text("the database cannot be reached")
        expect(page.locator("#as-of")).to_contain_text("as of 13:02 UTC")
        after = page.locator("main").inner_text(), page.evaluate(VALUES), drawn.evaluate(PATHS) if pictured else []
        assert after == before, "nothing is emptied, and no 0 drawn"
        page.clock.fast_forward(11_000)  # tried again, in vain
        expect(failing).to_be_visible()
        assert page.locator("main").inner_text() == before[0]
    finally:
        outage.end()

    def is_back() -> bool:
        page.clock.fast_forward(MINUTE)
        return failing.is_hidden()

    eventually(is_back, within_s=60)
    expect(page.locator("#as-of")).to_contain_text("as of 13:03 UTC")
    assert page.locator("main h1").count() == 1


def test_a_page_opened_meanwhile_says_why_and_draws_no_0(watched: Watched, site: Site, outage: Outage) -> None:
    page = watched.page
    watched.excused += ["Failed to load resource"]
    outage.begin()
    try:
        reply = page.goto("/")
        assert reply is not None
        assert reply.status == 503
        expect(page.locator("main")).to_contain_text("the database cannot be reached")
        assert page.locator("figure, .tile, svg.plot").count() == 0
        asked = page.request.get("/api/v1/series?from=now-1h", headers=TOKEN)
        assert (asked.status, "rows" in asked.json()) == (503, False)
    finally:
        outage.end()
    eventually(lambda: page.request.get("/readyz").ok, within_s=60)
    page.reload()
    expect(page.locator(".tile").first).to_be_visible()
