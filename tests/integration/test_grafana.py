"""The Grafana dashboards over a real store: every statement as the reader, totals as the API has them, links that lead
somewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from fastapi.testclient import TestClient

from pipeline.ingest import Ingest
from pipeline.ingest.topologies import load_topology
from pipeline.store.session import connect
from pipeline.topology.compose import Dump
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START, XROOTD_GLED
from tests.support.dashboards import FILES, Json, expand_link, expand_sql, links, load, panels, statements
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE, SECOND, T, complete_fields, raw, start_fields
from tests.support.postgres import copy_of
from tests.support.queue_messages import link, optimizer, optimizer_fields, status, status_fields
from tests.support.xrootd_messages import PLAIN

pytestmark = pytest.mark.stack

FROM, TO = "2026-11-22T02:00:00Z", "2026-11-22T08:00:00Z"
PLACES = {
    "sites": [{"name": "A-SITE", "country": "FR"}, {"name": "B-SITE", "country": "IT"}],
    "hosts": [{"host": "a.x.org", "site": "A-SITE"}, {"host": "b.y.org", "site": "B-SITE"}],
}
STAGE_STARTS = ("timestamp_chk_src_st", "timestamp_checksum_dest_st", "time_srm_prep_st", "time_srm_fin_st")
STAGE_ENDS = ("timestamp_chk_src_ended", "timestamp_checksum_dest_ended", "time_srm_prep_end", "time_srm_fin_end")
CHOSEN: dict[str, str | list[str]] = {
    "group_by": "vo",
    "bin": "10m",
    "level": "site",
    "site": "B-SITE",
    "web": "",
    "src_host": "",
    "dst_host": "",
}


@pytest.fixture(scope="module")
def filled(template_url: str) -> Iterator[str]:
    """Two hours of two VOs between two sites, 12 transfers each, every third of ATLAS failed; file accesses of CMS;
    a start that waits; what queues held; a message that is broken; an alert; a verification."""
    with copy_of(template_url) as url:
        with closing(connect(url)) as connection:
            load_topology(connection, [Dump("test", json.dumps(PLACES).encode())], 0)
        with closing(Ingest(url)) as ingest:
            ingest.process(traffic())
        with closing(Database(url)) as database:
            database.ask(
                "INSERT INTO store.alert (rule, subject, detail, raised_at, value, threshold)"
                " VALUES ('link_health', 'x', '', now(), 1, 2)"
            )
            database.ask(
                "INSERT INTO store.verify_run (window_from, window_to, cells, differing) VALUES (%s, %s, 10, 0)",
                [FROM, TO],
            )
            database.ask(
                "INSERT INTO store.backlog (sampled_at, kind, broker, name, depth)"
                " VALUES ('2026-11-22T02:01Z', 'queue', 'mq', 'q', 6000),"
                " ('2026-11-22T02:02Z', 'queue', 'mq', 'q', 7000)"
            )
        yield url


def traffic() -> list[RawMessage]:
    found = []
    for number in range(24):
        end = T + number * 5 * MINUTE + MINUTE
        names = {"file_id": number, "tr_id": f"id-{number}", "vo": ("atlas", "cms")[number % 2]}
        times = {
            "tr_timestamp_start": end - MINUTE,
            "tr_timestamp_complete": end,
            "timestamp_tr_st": end - 50 * SECOND,
            "timestamp_tr_comp": end - 10 * SECOND,
            **dict.fromkeys(STAGE_STARTS, end - 58 * SECOND),
            **dict.fromkeys(STAGE_ENDS, end - 53 * SECOND),
        }
        failed = {"t_final_transfer_state": "Error", "t__error_message": f"timeout after {number} s"}
        fields = names | times | (failed if number % 6 == 0 else {}) | {"tr_bt_transfered": 10**9 + number}
        found.append(raw(FTS_COMPLETE, complete_fields(**fields), end + MINUTE, identity=f"complete {number}"))
        start = {"file_id": number, "transfer_id": f"id-{number}", "vo": names["vo"], "timestamp": end - MINUTE}
        found.append(raw(FTS_START, start_fields(**start), end, identity=f"start {number}"))
    found += [
        raw(FTS_COMPLETE, _back(), T + 2 * HOUR, identity="back"),
        # One second after the end of the range: its window begins where the range ends.
        raw(FTS_COMPLETE, _late(), T + 7 * HOUR, identity="after"),
        raw(FTS_START, start_fields(file_id=99, transfer_id="waits"), T + MINUTE, identity="waits"),
        raw(FTS_START, b"{", T + MINUTE, identity="broken"),
        raw(XROOTD_GLED, PLAIN[XROOTD_GLED], T + HOUR, identity="access"),
        optimizer(optimizer_fields()),
        status(status_fields(link())),
    ]
    return found


def _back() -> dict[str, Any]:
    """A failure in the other direction."""
    hosts = {"src_hostname": "b.y.org", "dst_hostname": "a.x.org"}
    failed = {"t_final_transfer_state": "Error", "t__error_message": "timeout after 99 s"}
    return complete_fields(file_id=55, tr_id="back", **hosts, **failed)


def _late() -> dict[str, Any]:
    end = T + 6 * HOUR + SECOND
    times = dict.fromkeys(("tr_timestamp_complete", "timestamp_tr_comp"), end)
    return complete_fields(
        file_id=77, tr_id="after", tr_timestamp_start=end - MINUTE, timestamp_tr_st=end - SECOND, **times
    )


@pytest.fixture
def reader(filled: str) -> Iterator[Database]:
    """As the user that Grafana is."""
    with closing(Database(filled)) as database:
        database.ask("SET ROLE transferscope_reader")
        yield database


@pytest.fixture
def client(filled: str) -> Iterator[TestClient]:
    config = WebConfig(filled, timeout_s=5)
    with TestClient(create_app(config, Server(config, clock=lambda: (T + 2 * DAY) / 1000))) as client:
        yield client


def choose(reader: Database, board: Json) -> dict[str, str | list[str]]:
    """All of every list, as Grafana begins; the first of what only one is chosen from."""
    chosen = dict(CHOSEN)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query" and variable["includeAll"]:
            chosen[variable["name"]] = [str(value) for (value,) in reader.ask(variable["query"])]
            assert chosen[variable["name"]], variable["name"]
    return chosen


def asked(reader: Database, board: Json, title: str, **others: str) -> list[dict[str, Any]]:
    """The rows of a panel, by column."""
    (sql,) = [sql for name, sql in statements(board) if name == title]
    whole = expand_sql(sql, {**choose(reader, board), **others}, FROM, TO)
    with closing(connect(reader.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE transferscope_reader")
        cursor.execute(whole)
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def board_named(name: str) -> Json:
    (path,) = [path for path in FILES if path.stem == name]
    return load(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_reader_may_ask_every_statement_and_hears_something(reader: Database, path: Any) -> None:
    board = load(path)
    chosen = choose(reader, board)
    # A day's window begins before the range that hours have.
    from_iso = "2026-11-22T00:00:00Z"
    for title, sql in statements(board):
        for width in ("10m", "1h", "1d") if "${bin:" in sql else ("10m",):
            whole = expand_sql(sql, chosen | {"bin": width}, from_iso, TO)
            assert reader.ask(whole) or title in EMPTY, (title, width)


EMPTY = {"Final windows"}
"""Nothing passed over the windows here."""


def test_throughput_is_that_of_the_series_of_the_api(reader: Database, client: TestClient) -> None:
    columns = {"vo": "vo", "technology": "technology", "fts": "fts", "src": "src_site", "dst": "dst_site"}
    offered = next(each for each in board_named("overview")["templating"]["list"] if each["name"] == "group_by")
    assert offered["query"] == ",".join(columns)
    for grouped, by in columns.items():
        found = asked(reader, board_named("overview"), "Throughput", group_by=grouped)
        asked_for = {"from": FROM, "to": TO, "bin": "10m", "by": by, "shape": "objects"}
        rows = client.get("/api/v1/series", params=asked_for).json()["rows"]
        expected = {(row["window_start"], row["technology"], row[by] or ""): row["throughput"] for row in rows}
        drawn = {(_iso(row["time"]), row["technology"], row["name"]): float(row["value"]) for row in found}
        assert drawn == pytest.approx(expected), grouped
        assert len(drawn) > 12


def test_a_week_later_the_same_hours_are_drawn_as_those_of_the_week_before(reader: Database) -> None:
    board, title = board_named("overview"), "Throughput beside a week before"
    drawn = asked(reader, board, title)
    assert {row["name"] for row in drawn} == {"this week"}
    assert len(drawn) > 12
    (sql,) = [sql for name, sql in statements(board) if name == title]
    week = timedelta(days=7)
    later = [(datetime.fromisoformat(edge) + week).isoformat() for edge in (FROM, TO)]
    whole = expand_sql(sql, choose(reader, board), later[0], later[1])
    found = reader.ask(whole.replace("now()", "timestamptz '2026-12-24'"))
    expected = [(row["time"] + week, row["technology"], "a week before", row["value"]) for row in drawn]
    assert sorted(found) == sorted(expected)
    assert reader.ask(whole.replace("now()", f"timestamptz '{later[0]}'")) == [], "not before these hours have ended"


def test_totals_are_those_of_the_api(reader: Database, client: TestClient) -> None:
    board = board_named("overview")
    found = {row["technology"]: row for row in asked(reader, board, "Totals of the range")}
    reply = client.get("/api/v1/summary", params={"from": FROM, "to": TO, "bin": "10m", "shape": "objects"})
    expected = {row["technology"]: row for row in reply.json()["rows"]}
    assert set(found) == set(expected) == {"fts", "xrootd"}
    assert found["fts"]["failed"] == 5
    for technology, row in expected.items():
        for measure in ("bytes_moved", "bytes", "ok", "failed", "aborted", "efficiency", "throughput"):
            mine = found[technology][measure]
            assert (None if mine is None else float(mine)) == (
                None if row[measure] is None else pytest.approx(float(row[measure]))
            ), (technology, measure)
    assert found["xrootd"]["efficiency"] is None


def test_filters_take_away_what_is_not_chosen(reader: Database) -> None:
    board = board_named("overview")
    (row,) = asked(reader, board, "Totals of the range", technology="fts", vo="cms")
    assert (row["ok"], row["failed"]) == (12, 0)
    assert asked(reader, board, "Totals of the range", fts="o'brien.example.org") == []
    assert asked(reader, board_named("link"), "Totals of the range", src_host="nowhere") == []
    (row,) = asked(reader, board_named("link"), "Totals of the range", src_host="A.X", src_country="FR")
    assert row["ok"] == 20


def test_a_site_receives_what_its_partner_sends(reader: Database) -> None:
    board = board_named("site")
    of_b, of_a = (asked(reader, board, "Totals of the range", site=site) for site in ("B-SITE", "A-SITE"))
    (received,) = [row for row in of_b if row.pop("direction") == "in"]
    (sent,) = [row for row in of_a if row.pop("direction") == "out"]
    assert received == sent
    assert (sent["ok"], sent["failed"]) == (20, 4)


def test_a_cell_of_the_matrix_is_a_pair(reader: Database) -> None:
    (cell,) = asked(reader, board_named("matrix"), "Efficiency")
    assert (cell["source"], cell["destination"], cell["value"]) == ("A-SITE", "B-SITE", pytest.approx(20 / 24))
    (cell,) = asked(reader, board_named("matrix"), "Efficiency", level="country")
    assert (cell["source"], cell["destination"]) == ("FR", "IT")


def test_stages_failures_waiting_starts_and_dead_letters_are_what_was_sent(reader: Database) -> None:
    stage = asked(reader, board_named("link"), "Streaming", technology="fts")
    assert len(stage) == 12
    for percentile in ("p50", "p90", "p99"):
        assert [row[percentile] for row in stage] == [pytest.approx(40, rel=1 / 8)] * 12
    (cause,) = asked(reader, board_named("errors"), "Causes of failures")
    assert (cause["failed"], cause["links"]) == (5, 2)
    assert "timeout after" in cause["template"]
    (waiting,) = asked(reader, board_named("in-flight"), "Begun in the range and waiting now")
    assert (waiting["in_flight"] or 0) + (waiting["lost"] or 0) == 1
    (died,) = asked(reader, board_named("quality"), "Dead letters")
    assert (died["reason"], died["died"], died["waiting"]) == ("not_json", 1, 1)


def test_a_backlog_is_drawn_and_unknown_once_it_is_no_longer_sampled(reader: Database) -> None:
    board = board_named("queues")
    (drawn,) = asked(reader, board, "Backlog of broker queues and consumer groups")
    assert (_iso(drawn["time"]), drawn["name"], drawn["value"]) == (FROM, "q", 7000)
    (now,) = asked(reader, board, "Queues and consumer groups now")
    assert (now["name"], now["depth"]) == ("q", None)


def test_the_reader_may_write_nothing(reader: Database) -> None:
    for statement in ("DELETE FROM report.alert", "UPDATE store.alert SET value = 0", "CREATE TABLE report.x (y int)"):
        with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectNotInPrerequisiteState)):
            reader.ask(statement)
    for view in ("transfer", "in_flight", "dead_letter"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            reader.ask(f"SELECT * FROM report.{view}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_link_leads_to_a_page(reader: Database, client: TestClient, path: Any) -> None:
    board = load(path)
    chosen = choose(reader, board)
    names = {
        "src_host": "a.x.org",
        "dst_host": "b.y.org",
        "partner": "A-SITE",
        "category": "timeout",
        "scope": "unknown",
    }
    values = {f"__data.fields.{name}": value for name, value in names.items()}
    values |= {"__data.fields[0]": "A-SITE", "__field.name": "B-SITE", "__value.raw": "a.x.org"}
    values |= {"__field.labels.technology": "fts", "__field.labels.name": "cms"}
    for panel in panels(board):
        for each in links(panel):
            address = expand_link(each["url"], chosen, values, T, T + 6 * HOUR)
            reply = client.get(address)
            assert reply.status_code == 200, (panel["title"], address, reply.text[:300])


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
