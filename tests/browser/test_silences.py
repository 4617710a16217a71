"""An operator who is signed in silences an alert and ends the silence, by plain forms: with scripts and without."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from pipeline.stages.alert_rules import Finding
from pipeline.store.alerts import raise_alert
from pipeline.store.session import connect
from tests.browser.watching import Watched
from tests.support.browsed import Site

pytestmark = pytest.mark.stack

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
BROWSERS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "narrow": {"viewport": NARROW},
    "no-scripts": {"viewport": WIDE, "java_script_enabled": False},
}


@pytest.fixture(scope="module")
def _alerts(site: Site) -> None:
    with closing(connect(site.database)) as connection, connection, connection.cursor() as cursor:
        for number in (1, 2):
            name = f"queue Consumer.transferscope.transfer.fts_monitoring_complete on mq{number}.cern.ch:61613"
            raise_alert(cursor, Finding("backlog", name, 7000, 5000, "7000 messages wait"), datetime.now(UTC))


@pytest.mark.usefixtures("_alerts")
@pytest.mark.parametrize(
    ("context", "name"),
    [(more | {"extra_http_headers": {}}, name) for name, more in BROWSERS.items()],
    indirect=["context"],
    ids=list(BROWSERS),
)
def test_an_operator_silences_an_alert_and_ends_that(watched: Watched, screenshots: Path, name: str) -> None:
    page, has_scripts = watched.page, name != "no-scripts"
    page.goto("/alerts")
    expect(page.get_by_role("button", name="Silence", exact=True)).to_have_count(0)
    page.goto("/sign-in?next=/alerts")
    page.get_by_label("Token").fill("operates")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Silence backlog queue").first.click()
    subject = page.get_by_label("What")
    expect(subject).to_have_value("queue Consumer.transferscope.transfer.fts_monitoring_complete on mq2.cern.ch:61613")
    expect(page.get_by_label("Rule")).to_have_value("backlog")
    page.get_by_label("Reason").fill(f"mq2 is upgraded, {name}")
    if has_scripts:
        assert watched.accessibility() == []
    page.screenshot(path=screenshots / f"silence-form-{name}.png", full_page=True)
    page.get_by_role("button", name="Silence", exact=True).click()
    row = page.get_by_role("row").filter(has_text=f"mq2 is upgraded, {name}")
    expect(row).to_be_visible()
    expect(row).to_contain_text("operates")
    expect(page.get_by_text("silenced until")).to_have_count(1)
    assert "silence=" not in page.url
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "tables scroll, pages do not"
    if has_scripts:
        assert watched.accessibility() == []
    page.screenshot(path=screenshots / f"silence-{name}.png", full_page=True)
    row.get_by_role("button", name="End").click()
    expect(row).to_have_count(0)
    expect(page.get_by_text("None holds")).to_be_visible()
