"""The views that people read: the columns they rely on, who may see them, and what each is said to hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest

from pipeline.ingest import Ingest
from pipeline.ingest.topologies import load_topology
from pipeline.store.session import connect
from pipeline.topology.compose import Dump
from schemas.events import STAGES
from schemas.topics import FTS_COMPLETE, FTS_START, FTS_STATE
from tests.support import postgres
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, SECOND, T, complete_fields, raw, start_fields, state_fields
from tests.support.queue_messages import optimizer, optimizer_fields

pytestmark = pytest.mark.stack

MEASURES = [f"{stage}_{part}" for stage in STAGES for part in ("count", "sum", "min", "max", "hist")]
COUNTS = ["started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved"]
STATE = ["final_at", "updated_at", "stale"]
KEY = ["window_start", "technology", "fts", "vo", "channel"]
ENDS = ["src_host", "dst_host", "src_site", "dst_site", "src_country", "dst_country"]
PROMISED = {
    **{f"link_{width}": KEY + ENDS + COUNTS + MEASURES + STATE for width in ("10m", "1h", "1d")},
    **{f"channel_{width}": [*KEY, "links", *COUNTS, *MEASURES, *STATE] for width in ("10m", "1h", "1d")},
    **{
        f"endpoint_{width}": "window_start technology fts vo src_endpoint dst_endpoint".split() + COUNTS + STATE  # noqa: SIM905
        for width in ("10m", "1h", "1d")
    },
    **{
        f"activity_{width}": "window_start technology fts vo activity src_site dst_site".split() + COUNTS + STATE  # noqa: SIM905
        for width in ("10m", "1h", "1d")
    },
    **{
        f"vo_link_{width}": ["window_start", "technology", "vo", *ENDS, *COUNTS, *STATE, "efficiency", "share", "vos"]
        for width in ("10m", "1h", "1d")
    },
    **{
        f"vo_site_{width}": "window_start technology vo site direction".split()  # noqa: SIM905
        + COUNTS
        + [*STATE, "efficiency", "share", "vos"]
        for width in ("10m", "1h", "1d")
    },
    "error_10m": """
        window_start technology fts vo channel src_host dst_host scope phase category code template count sample
        """.split(),  # noqa: SIM905
    "transfer": """
        technology fts agent_fqdn transfer_id start_transfer_id job_id file_id vo activity channel channel_type protocol
        ipver src_host dst_host src_url dst_url src_site dst_site src_country dst_country src_endpoint dst_endpoint
        src_status dst_status topology_revision start_message_at started_at ended_at state bytes file_size streaming_ms
        total_ms srm_prep_ms srm_fin_ms checksum_src_ms checksum_dst_ms queue_wait_ms error_scope error_phase
        error_category error_code error_template error_message retry retry_max user_hash received_at start_ref
        complete_ref""".split(),  # noqa: SIM905
    "in_flight": """
        fts agent_fqdn transfer_id job_id file_id vo activity channel src_host dst_host src_site dst_site started_at
        lost closed_by_state""".split(),  # noqa: SIM905
    "dead_letter": "id topic reason detail received_at headers body replayed_at".split(),  # noqa: SIM905
    "queue_sample": """
        fts sampled_at vo channel channel_type src_host dst_host active ready ratio""".split(),  # noqa: SIM905
    "queue_10m": """
        window_start fts vo channel channel_type src_host dst_host active_last active_avg active_max ready_last
        ready_avg ready_max samples""".split(),  # noqa: SIM905
    "backlog": "kind broker name sampled_at depth oldest_s consumers expired dead".split(),  # noqa: SIM905
    "error_kind": "id scope phase category code template".split(),  # noqa: SIM905
    "host_10m": "window_start technology host site country status transfers bytes".split(),  # noqa: SIM905
    "topology_host": "host site country valid_from valid_to".split(),  # noqa: SIM905
    "freshness": "source last_event_at last_received_at last_committed_at".split(),  # noqa: SIM905
    "source_10m": "window_start source received stored duplicate dead lateness_p50_s lateness_max_s".split(),  # noqa: SIM905
    "topology": "revision source loaded_at confirmed_at".split(),  # noqa: SIM905
    "mapping_10m": "window_start technology status hosts transfers".split(),  # noqa: SIM905
    "verify_run": "run_at window_from window_to cells differing".split(),  # noqa: SIM905
    "party": "technology fts vo channel".split(),  # noqa: SIM905
    "place": "host site country".split(),  # noqa: SIM905
    "in_flight_10m": """
        window_start fts vo channel src_host dst_host src_site dst_site lost count oldest_at""".split(),  # noqa: SIM905
    "dead_letter_10m": "window_start topic reason count waiting".split(),  # noqa: SIM905
}
FOR_OPERATORS = ["transfer", "in_flight", "dead_letter"]
FOR_ALL = sorted(set(PROMISED) - set(FOR_OPERATORS))
# Their names say all: who, where and what it is called.
PLAIN = {
    *["technology", "fts", "vo", "channel", "activity", "protocol", "ipver", "channel_type", "state", "source"],
    *["id", "transfer_id", "job_id", "file_id", "job_id", "agent_fqdn", "topic", "kind", "bytes", "file_size"],
    *["src_host", "dst_host", "src_site", "dst_site", "src_country", "dst_country", "src_url", "dst_url"],
    *["retry", "retry_max", "stage", "error_scope", "error_phase", "error_category", "error_code", "error_message"],
    *[f"{stage}_{part}" for stage in STAGES for part in ("count", "sum", "min", "max")],
    *[f"{stage}_ms" for stage in STAGES],
}


def views(database: Database) -> dict[str, list[str]]:
    rows = database.ask(
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_schema = 'report' GROUP BY 1"
    )
    return {str(name): list(columns) for name, columns in rows}


@pytest.mark.parametrize("view", PROMISED)
def test_a_view_has_the_columns_that_others_rely_on_in_their_order(filled: Database, view: str) -> None:
    columns = views(filled)[view]
    assert columns[: len(PROMISED[view])] == PROMISED[view]


def test_times_have_a_zone_sizes_are_bigints_and_histograms_arrays(filled: Database) -> None:
    types = filled.ask(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'report'"
    )
    for view, column, kind in types:
        if column.endswith("_at") or column in ("window_start", "window_from", "window_to"):
            assert kind == "timestamp with time zone", (view, column)
        elif column in COUNTS or column.endswith("_ms"):
            assert kind == "bigint", (view, column)
        elif column.endswith("_hist"):
            assert kind == "ARRAY", (view, column)


@pytest.fixture(scope="module")
def filled_url(template_url: str) -> Iterator[str]:
    """One of each, for all tests that only read."""
    with postgres.copy_of(template_url) as url:
        with closing(Ingest(url)) as ingest:
            ingest.process(
                [
                    raw(FTS_START, start_fields(), identity="1"),
                    raw(FTS_COMPLETE, complete_fields(), identity="2"),
                    raw(FTS_START, start_fields(file_id=8, transfer_id="x"), identity="3"),
                    raw(FTS_START, b"{", identity="4"),
                    raw(
                        FTS_COMPLETE,
                        complete_fields(tr_id="y", file_id=9, t_final_transfer_state="Error"),
                        identity="5",
                    ),
                    optimizer(optimizer_fields()),
                ]
            )
        yield url


@pytest.fixture
def filled(filled_url: str) -> Iterator[Database]:
    with closing(Database(filled_url)) as database:
        yield database


@pytest.mark.parametrize("role", ["transferscope_reader", "transferscope_operator"])
@pytest.mark.parametrize("view", FOR_ALL)
def test_aggregates_may_be_read_by_everybody(filled: Database, role: str, view: str) -> None:
    filled.ask(f"SET ROLE {role}")
    rows = filled.ask(f"SELECT * FROM report.{view}")
    assert len(rows) >= (0 if view in ("verify_run", "topology", "topology_host", "backlog") else 1)


@pytest.mark.parametrize("view", FOR_OPERATORS)
def test_single_transfers_and_dead_letters_may_be_read_by_operators_only(filled: Database, view: str) -> None:
    filled.ask("SET ROLE transferscope_operator")
    assert len(filled.ask(f"SELECT * FROM report.{view}")) >= 1
    filled.ask("SET ROLE transferscope_reader")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        filled.ask(f"SELECT * FROM report.{view}")


@pytest.mark.parametrize("role", ["transferscope_reader", "transferscope_operator"])
def test_nobody_reads_or_writes_the_base_tables(filled: Database, role: str) -> None:
    tables = filled.ask(
        "SELECT c.oid::regclass::text FROM pg_class AS c"
        " WHERE c.relnamespace = 'store'::regnamespace AND c.relkind IN ('r', 'p')"
    )
    assert len(tables) > 15
    for (table,) in tables:
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert not filled.value("SELECT has_table_privilege(%s, %s, %s)", [role, table, right]), (table, right)


@pytest.mark.parametrize("role", ["transferscope_reader", "transferscope_operator"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM report.link_10m",
        "UPDATE report.source_10m SET received = 0",
        "CREATE TABLE report.mine (id integer)",
        "CREATE TABLE store.mine (id integer)",
    ],
)
def test_nobody_writes_the_views(filled: Database, role: str, statement: str) -> None:
    filled.ask(f"SET ROLE {role}")
    with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectNotInPrerequisiteState)):
        filled.ask(statement)


def test_histograms_can_be_read_without_a_right_on_what_they_are_made_of(filled: Database) -> None:
    filled.ask("SET ROLE transferscope_reader")
    (hist,) = filled.ask("SELECT report.hist_quantile(streaming_hist, 0.5) FROM report.link_1d WHERE ok > 0")
    assert hist[0] == pytest.approx(40_000, rel=1 / 8)


def test_every_view_function_and_table_says_what_it_holds(filled: Database) -> None:
    silent = filled.ask(
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind IN ('v', 'r', 'p') AND NOT c.relispartition"
        " AND c.relnamespace IN ('report'::regnamespace, 'store'::regnamespace)"
        " AND obj_description(c.oid, 'pg_class') IS NULL"
        " UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc AS p"
        " WHERE p.pronamespace IN ('report'::regnamespace, 'store'::regnamespace)"
        " AND obj_description(p.oid, 'pg_proc') IS NULL"
    )
    assert silent == []


def test_every_column_whose_name_does_not_say_all_has_a_comment(filled: Database) -> None:
    silent = filled.ask(
        "SELECT a.attrelid::regclass::text, a.attname::text FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'report'::regnamespace AND c.relkind = 'v' AND a.attnum > 0"
        " AND NOT a.attname = ANY (%s) AND col_description(a.attrelid, a.attnum) IS NULL ORDER BY 1, a.attnum",
        [sorted(PLAIN)],
    )
    assert silent == []


def test_a_start_without_a_complete_is_in_flight_and_lost_after_a_day(database: Database, ingest: Ingest) -> None:
    now = database.value("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    for name, at in (("old", now - DAY - HOUR), ("new", now - DAY + HOUR)):
        ingest.process([raw(FTS_START, start_fields(timestamp=at, transfer_id=name), now, identity=name)])
    assert dict(database.ask("SELECT transfer_id, lost FROM report.in_flight")) == {"old": True, "new": False}
    database.ask("INSERT INTO store.setting (name, value) VALUES ('lost_after_s', %s)", [str(2 * 86_400)])
    assert dict(database.ask("SELECT transfer_id, lost FROM report.in_flight")) == {"old": False, "new": False}


def test_starts_that_wait_are_counted_by_their_window_and_those_that_ended_are_not(
    database: Database, ingest: Ingest
) -> None:
    now = database.value("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    for name, at in (("old", now - DAY - HOUR), ("new", now - HOUR), ("closed", now - HOUR), ("ended", now - HOUR)):
        fields = start_fields(timestamp=at, transfer_id=name, job_id=name)
        ingest.process([raw(FTS_START, fields, now, identity=name)])
    state = state_fields(job_id="closed", file_state="CANCELED", timestamp=now)
    ingest.process([raw(FTS_STATE, state, now, identity="state")])
    times = {"tr_timestamp_start": now - HOUR, "tr_timestamp_complete": now}
    complete = complete_fields(job_id="ended", tr_id="ended", timestamp_tr_st=0, timestamp_tr_comp=0, **times)
    ingest.process([raw(FTS_COMPLETE, complete, now, identity="complete")])
    rows = database.ask("SELECT lost, count, window_start, oldest_at FROM report.in_flight_10m ORDER BY lost")
    assert [row[:2] for row in rows] == [(False, 1), (True, 1)]
    for _, _, window, oldest in rows:
        assert timedelta(0) <= oldest - window < timedelta(minutes=10)


def test_names_are_those_of_transfers(filled: Database) -> None:
    assert filled.ask("SELECT technology, fts, vo, channel FROM report.party WHERE channel IS NOT NULL") == [
        ("fts", "fts3.example.org", "atlas", "a.x.org__b.y.org")
    ]
    assert sorted(filled.ask("SELECT host, site, country FROM report.place")) == [
        ("a.x.org", "unknown", "unknown"),
        ("b.y.org", "unknown", "unknown"),
    ]


def test_none_is_null_in_the_views(database: Database, ingest: Ingest) -> None:
    nothing = dict.fromkeys(["endpnt", "t_channel", "src_url", "dst_url", "job_id", "file_id"], "")
    ingest.process(
        [
            raw(FTS_START, start_fields(**nothing), identity="1"),
            raw(FTS_COMPLETE, complete_fields(**nothing, tr_timestamp_start=T - 60 * SECOND), identity="2"),
        ]
    )
    for view in ("link_10m", "channel_1d", "in_flight", "transfer"):
        for row in database.ask(f"SELECT fts, channel FROM report.{view}"):
            assert row == (None, None), view
    assert database.ask("SELECT job_id, file_id, src_url, agent_fqdn FROM report.transfer") == [(None,) * 4]


def test_mapping_counts_hosts_and_transfers_by_how_their_sides_were_found(database: Database, ingest: Ingest) -> None:
    places = {
        "sites": [{"name": "A"}],
        "hosts": [{"host": "a.fr", "site": "A"}, {"host": "b.fr", "site": "A"}],
        "domains": [{"domain": "d.fr", "sites": ["A"]}],
    }
    with closing(connect(database.url)) as connection:
        load_topology(connection, [Dump("test", json.dumps(places).encode())], 0)
    pairs = [("a.fr", "b.fr"), ("a.fr", "x.d.fr"), ("b.fr", "nowhere.de")]
    for number, (src, dst) in enumerate(pairs):
        fields = complete_fields(file_id=number, src_hostname=src, dst_hostname=dst)
        ingest.process([raw(FTS_COMPLETE, fields, identity=str(number))])
    rows = database.ask("SELECT technology, status, hosts, transfers FROM report.mapping_10m ORDER BY status")
    assert rows == [("fts", "domain", 1, 1), ("fts", "host", 2, 3), ("fts", "unknown", 1, 1)]
    (window,) = {row[0] for row in database.ask("SELECT window_start FROM report.mapping_10m")}
    assert database.ask("SELECT 1 FROM report.link_10m WHERE window_start = %s", [window]) != []
