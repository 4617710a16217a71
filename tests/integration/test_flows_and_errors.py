"""Windows of VO endpoints and activities, failures by kind: what a few messages make, checked, marked and rebuilt."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.ingest.topologies import load_topology, newest_topology
from pipeline.store.links import OTHER, Errors
from pipeline.store.recompute import recompute
from pipeline.store.session import connect
from pipeline.store.verify import verify
from pipeline.topology.compose import Dump
from pipeline.topology.resolve import Topology
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.database import Database
from tests.support.fts_messages import MINUTE, SECOND, T, complete_fields, raw, start_fields
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

METADATA = {"activity": "Express", "src_rse": "A_DISK", "dst_rse": "B_TAPE"}
TOPOLOGY = b'{"sites": [{"name": "A"}], "hosts": [{"host": "a.x.org", "site": "A"}]}'


def failed(number: int, message: str, at: int = T + MINUTE, **fields: Any) -> RawMessage:
    said = {"t_final_transfer_state": "Error", "t__error_message": message, "tr_error_category": "EIO"} | fields
    return raw(
        FTS_COMPLETE,
        complete_fields(file_id=number, tr_id=f"id{number}", tr_timestamp_complete=at, **said),
        identity=str(number),
    )


def test_starts_and_ends_count_by_endpoints_and_by_activity(ingest: Ingest, database: Database) -> None:
    ingest.process(
        [
            raw(FTS_START, start_fields(file_metadata=METADATA), identity="1"),
            raw(FTS_COMPLETE, complete_fields(file_metadata=METADATA), identity="2"),
            raw(FTS_COMPLETE, complete_fields(file_id=8, tr_id="x", file_metadata=None), identity="3"),
        ]
    )
    for width in ("10m", "1h", "1d"):
        assert database.ask(
            "SELECT src_endpoint, dst_endpoint, sum(started)::int, sum(ok)::int, sum(bytes_moved) = sum(bytes)"
            f" FROM report.endpoint_{width} GROUP BY 1, 2 ORDER BY 1"
        ) == [("A_DISK", "B_TAPE", 1, 1, True), ("unknown", "unknown", 0, 1, True)]
        assert database.ask(
            f"SELECT activity, src_site, sum(started)::int, sum(ok)::int FROM report.activity_{width}"
            " GROUP BY 1, 2 ORDER BY 1"
        ) == [("Express", "unknown", 1, 1), ("unknown", "unknown", 0, 1)]


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("step", [1, -1])
def test_failures_of_a_kind_count_together_with_the_message_of_the_first(
    ingest: Ingest, database: Database, most: int, step: int
) -> None:
    messages = [
        failed(1, "connection to se1.example.org:2811 refused", T + 2 * MINUTE),
        failed(2, "connection to se2.example.org:1094 refused", T + MINUTE),
        failed(3, "disk full", T + MINUTE),
        failed(4, "connection aborted", t_final_transfer_state="Abort"),
    ][::step]
    for begin in range(0, len(messages), most):
        ingest.process(messages[begin : begin + most])
    assert database.ask("SELECT category, template, count, sample FROM report.error_10m ORDER BY 2") == [
        ("EIO", "connection to <host> refused", 2, "connection to se2.example.org:1094 refused"),
        ("EIO", "disk full", 1, "disk full"),
    ]
    assert database.ask("SELECT error_template FROM report.transfer ORDER BY 1 NULLS LAST") == [
        ("connection to <host> refused",),
        ("connection to <host> refused",),
        ("disk full",),
        (None,),
    ]


def test_of_a_long_message_the_beginning_is_the_sample(ingest: Ingest, database: Database) -> None:
    ingest.process([failed(1, "word\\ " * 1000)])
    assert database.value("SELECT sample FROM report.error_10m") == ("word\\ " * 1000)[:2048]
    with closing(connect(database.url)) as connection:
        assert verify(connection).differing == 0


@pytest.mark.parametrize(
    ("table", "change", "column", "key"),
    [
        ("flow_10m", "UPDATE store.flow_10m SET started = started + 1", "started", {"activity": "Express"}),
        ("flow_1h", "UPDATE store.flow_1h SET bytes_moved = 0 WHERE bytes_moved > 0", "bytes_moved", {"vo": "atlas"}),
        ("flow_1d", "DELETE FROM store.flow_1d", "ok", {"src_endpoint": "A_DISK"}),
        ("error_10m", "UPDATE store.error_10m SET count = 7", "count", {"template": "x <n>"}),
        ("error_10m", "UPDATE store.error_10m SET sample = 'other'", "sample", {"category": "EIO"}),
    ],
)
def test_a_spoiled_cell_is_told_and_mended(
    ingest: Ingest, database: Database, table: str, change: str, column: str, key: dict[str, str]
) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields(file_metadata=METADATA), identity="1"), failed(2, "x 17")])
    with closing(connect(database.url)) as connection, closing(connect(database.url)) as numbers:
        assert verify(connection).differing == 0
        database.ask(change)
        cells = [cell for cell in verify(connection).examples if cell.column == column]
        assert {cell.table for cell in cells} == {table}
        assert any(key.items() <= cell.key.items() for cell in cells)
        report = recompute(connection, numbers, Topology.empty())
        assert (report.rows, report.changed > 0) == (0, True)
        assert verify(connection).differing == 0


def test_a_topology_marks_flows_and_recompute_moves_them(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields(), identity="1"), failed(2, "x 17")])
    with closing(connect(database.url)) as connection, closing(connect(database.url)) as numbers:
        load_topology(connection, [Dump("test", TOPOLOGY)], 0)
        assert database.ask("SELECT DISTINCT stale FROM report.activity_1d") == [(True,)]
        assert database.ask("SELECT DISTINCT stale FROM report.endpoint_10m") == [(True,)]
        with connection, connection.cursor() as cursor:
            topology = newest_topology(cursor)
        recompute(connection, numbers, topology)
        assert verify(connection).differing == 0
    for view in ("activity_10m", "activity_1d", "endpoint_1h"):
        assert database.ask(f"SELECT DISTINCT stale FROM report.{view}") == [(False,)]
    assert database.ask("SELECT DISTINCT src_site FROM report.activity_10m") == [("A",)]
    assert database.ask("SELECT DISTINCT src_site, template FROM report.error_10m") == [("A", "x <n>")]


def test_rows_from_before_get_their_flow_and_kind_of_failure_from_recompute(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields(), identity="1"), failed(2, "x 17", T + 3 * SECOND)])
    windows = database.ask("SELECT * FROM report.activity_1h ORDER BY 1")
    for statement in (
        "UPDATE store.start SET flow_id = NULL",
        "UPDATE store.transfer SET flow_id = NULL, error_id = NULL",
        "DROP TABLE store.flow_10m_p20261122, store.error_10m_p20261122",
        "DELETE FROM store.flow_1h",
        "DELETE FROM store.flow_1d",
    ):
        database.ask(statement)
    with closing(connect(database.url)) as connection, closing(connect(database.url)) as numbers:
        assert recompute(connection, numbers, Topology.empty()).rows == 2
        assert verify(connection).differing == 0
    rebuilt = database.ask("SELECT * FROM report.activity_1h ORDER BY 1")
    assert [row[:-2] for row in rebuilt] == [row[:-2] for row in windows]
    assert database.value("SELECT template FROM report.error_10m") == "x <n>"


def test_query_adds_up_endpoints_activities_and_errors(ingest: Ingest, shell: Shell) -> None:
    ingest.process(
        [
            raw(FTS_COMPLETE, complete_fields(file_metadata=METADATA), identity="1"),
            failed(2, "connection to se1.example.org refused", file_metadata=METADATA),
            failed(3, "connection to se2.example.org refused", T + 15 * MINUTE, file_metadata=METADATA),
        ]
    )
    (endpoints,) = shell.json("query", "endpoints", "--by", "dst_endpoint")
    assert (endpoints["dst_endpoint"], endpoints["ok"], endpoints["failed"]) == ("B_TAPE", 1, 2)
    (activities,) = shell.json("query", "activities", "--window", "1h", "--where", "failed>1")
    assert (activities["activity"], activities["efficiency"]) == ("Express", pytest.approx(1 / 3))
    (errors,) = shell.json("query", "errors", "--by", "template", "--where", "category=EIO")
    assert (errors["template"], errors["count"]) == ("connection to <host> refused", 2)
    # The range goes from edge to edge of the windows.
    (window,) = shell.json("query", "errors", "--from", "2026-11-22T02:12Z", "--to", "2026-11-22T02:13Z")
    assert (window["count"], window["sample"]) == (1, "connection to se2.example.org refused")


def test_texts_that_are_all_different_do_not_fill_the_table(
    ingest: Ingest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Errors.__init__, "__defaults__", (6,))
    words = [f"{a}{b}" for a in "abcdefghij" for b in "abcdefghij"]
    with closing(Ingest(database.url)) as writer:
        writer.process([failed(0, "disk full")])
        for begin in range(0, 100, 20):
            batch = [
                failed(1 + number, f"noise {words[number]}", tr_error_category=f"E{number % 7}")
                for number in range(begin, begin + 20)
            ]
            writer.process([*batch, failed(1000 + begin, "disk full")])
    kinds = database.ask("SELECT template, count(*)::int FROM store.error GROUP BY 1 ORDER BY 2 DESC")
    assert sum(number for _, number in kinds) <= 2 * 6 + 1
    assert kinds[0][0] == OTHER
    assert database.value("SELECT sum(count)::int FROM report.error_10m") == 106
    # What was known before keeps its own count, and so do the first of the noise.
    told = dict(database.ask("SELECT template, sum(count)::int FROM report.error_10m GROUP BY 1"))
    assert (told["disk full"], told["noise aa"], told[OTHER]) == (6, 1, 95)
    first = database.value("SELECT min(sample) FROM report.error_10m WHERE template = %s AND category IS NULL", [OTHER])
    assert first is not None
    assert str(first).startswith("noise ")
    with closing(connect(database.url)) as connection, closing(connect(database.url)) as numbers:
        assert verify(connection).differing == 0
        assert recompute(connection, numbers, Topology.empty()).changed == 0
