"""Pages about the service itself: queues, alerts, quality, and the count of open alerts on every page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.stages.alert_rules import Finding
from pipeline.stages.backlog import Sample
from pipeline.store.alerts import clear_alert, raise_alert
from pipeline.store.backlog import add_samples
from pipeline.store.session import connect
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.pages import BROWSER, data, page
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)
MINUTE = timedelta(minutes=1)
NOW = NOON + 60 * MINUTE
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T13:00Z"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """A queue above the limit, one that nobody sampled for long, a group; an open alert and one that is over."""
    lines = [line(COMPLETE, complete(1)), line(START, start(1)), line(START, start(2)), line(COMPLETE, "no json")]
    shell("replay", write(tmp_path / "traffic.jsonl", lines))
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        for at, depth in ((0, 10), (30, 7000), (59, 6000)):
            add_samples(cursor, NOON + at * MINUTE, [Sample("queue", "mq", "deep", depth, 90.0, 1, 0, 2)])
        add_samples(cursor, NOON + 20 * MINUTE, [Sample("queue", "mq", HOSTILE, 40, 1.0, 1)])
        add_samples(cursor, NOON + 59 * MINUTE, [Sample("group", "kafka", "workers", 0)])
        raise_alert(cursor, Finding("backlog", "deep", 7000, 5000, "behind"), NOON + 30 * MINUTE)
        raise_alert(cursor, Finding("link_health", "A → B", 0.4, 0.8, HOSTILE), NOON + 5 * MINUTE)
        clear_alert(cursor, "link_health", "A → B", NOON + 15 * MINUTE)
    config = WebConfig(database_url, backlog_limit=5500)
    server = Server(config, clock=lambda: NOW.timestamp())
    with TestClient(create_app(config, server), headers={"accept": BROWSER}) as client:
        yield client


def test_queues_show_what_waits_and_never_0_for_what_is_not_known(client: TestClient) -> None:
    shown = page(client, f"/queues?{RANGE}")
    behind = {row["name"]: row for row in data(client, shown, "queues")}
    rows = {row[0]: [" ".join(cell.split()) for cell in row] for row in shown.rows if len(row) == 12}
    assert rows["deep"][3:6] == ["6 000 ▲, behind", "7 000", "1 min 30 s"]
    assert (behind["deep"]["depth"], behind["deep"]["depth_max"]) == ("6000", "7000")
    assert (rows[HOSTILE][3], behind[HOSTILE]["depth"]) == ("unknown", "")
    assert rows["workers"][3] == "0"
    text = client.get(f"/queues?{RANGE}").text
    assert "limit 5 500" in text
    drawn = text[text.index("<title>deep at mq</title>") :].split("</g>")[0]
    assert drawn.count("<path") == 3, "three samples half an hour apart are no line"
    assert HOSTILE not in text
    nothing = client.get("/queues?from=2026-11-20&to=2026-11-21").text
    assert "No queue was sampled in this range, so what waited is not known" in nothing


def test_open_alerts_are_counted_on_every_page_and_listed(client: TestClient) -> None:
    for address in (f"/?{RANGE}", f"/matrix?{RANGE}", "/help", f"/quality?{RANGE}"):
        assert '<b class="count">1<span class="unseen"> open</span></b>' in client.get(address).text
    shown = page(client, f"/alerts?{RANGE}")
    (unclear,) = (row for row in shown.rows if "deep" in row)
    assert unclear[1:6] == ["30 min 00 s", "backlog", "deep", "7000", "5000"]
    assert shown.row("A → B")[1:3] == ["2026-11-22 12:15Z", "link_health"]
    assert any(each.startswith("/links?") and "src=A&dst=B" in each for each in shown.links)
    assert {row["subject"] for row in data(client, shown, "alerts")} == {"deep", "A → B"}
    only = client.get(f"/alerts?{RANGE}&open=1&rule=backlog").text
    assert "A → B" not in only


def test_quality_has_every_section_with_its_data(client: TestClient) -> None:
    shown = page(client, f"/quality?{RANGE}")
    join = shown.row("fts3.cern.ch", "100.0 %")
    assert join[:4] == ["fts3.cern.ch", "1", "1", "100.0 %"]
    assert sorted(join[4:]) == ["0", "0", "1"], "one start is open, or lost: which is a matter of the day"
    sections = {each for each in shown.links if each.startswith("/api/v1/quality") and "format=csv" in each}
    assert len(sections) == 8
    for each in sections:
        assert client.get(each).status_code == 200
    dead = [row for row in shown.rows if row[:2] == ["transfer.fts_monitoring_complete", "not_json"]]
    assert dead[0][2] == "1"
    assert "Never run: transferscope verify does it." in client.get(f"/quality?{RANGE}").text


def test_pages_of_the_service_take_no_filters_of_transfers_and_links_there_carry_none(client: TestClient) -> None:
    for path in ("/queues", "/alerts", "/quality"):
        assert client.get(f"{path}?vo=cms").status_code == 400
    shown = page(client, f"/?{RANGE}&vo=cms&technology=fts")
    for each in shown.links:
        if each.startswith(("/queues", "/alerts", "/quality")):
            assert ("vo=" in each, "from=2026-11-22T12" in each) == (False, True)
