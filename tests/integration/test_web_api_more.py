"""Endpoints about the service and about causes: what they say is what the tables hold, and what was sent."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.alert_rules import Finding
from pipeline.stages.backlog import Sample
from pipeline.store.alerts import clear_alert, raise_alert
from pipeline.store.backlog import add_samples
from pipeline.store.session import connect
from tests.support.api import Api, api
from tests.support.database import Database
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

MINUTE = 60_000
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RANGE = {"from": "2026-11-22T12:00Z", "to": "2026-11-22T18:00Z"}
FAILED = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "tr_bt_transfered": 0}
PLACES = {
    "sites": [{"name": "CERN-PROD", "country": "CH"}, {"name": "DESY-HH", "country": "DE"}, {"name": "RAL-LCG2"}],
    "hosts": [
        {"host": "eoscms.cern.ch", "site": "CERN-PROD", "valid_from": "2020-01-01T00:00:00Z"},
        {"host": "idle.rl.ac.uk", "site": "RAL-LCG2"},
        {"host": "gone.rl.ac.uk", "site": "RAL-LCG2", "valid_to": "2021-01-01T00:00:00Z"},
    ],
    "domains": [{"domain": "desy.de", "sites": ["DESY-HH"]}],
}


def traffic() -> list[str]:
    """Transfers to three hosts of DESY and one that nobody knows; two kinds of failure; three starts; dead letters."""
    lines = []
    for n in range(12):
        host = f"se{n % 3}.desy.de" if n % 4 else "se.nowhere.org"
        lines.append(
            line(COMPLETE, complete(n, NOON_MS + n * 5 * MINUTE, dst_hostname=host, tr_bt_transfered=n * 10**9))
        )
    for n in range(20, 27):
        message = "No space left on device" if n % 2 else "TRANSFER globus_ftp_client: timed out"
        to = {"dst_hostname": f"se{n % 3}.desy.de", "t__error_message": message}
        lines.append(line(COMPLETE, complete(n, NOON_MS + n * MINUTE, **FAILED, **to)))
    lines += [line(START, start(n, NOON_MS + n * 5 * MINUTE - MINUTE)) for n in (3, 5)]
    lines += [line(START, start(60, NOON_MS + MINUTE))]
    lines += [line(COMPLETE, "no json"), line(COMPLETE, "nor this"), line(START, "{}")]
    return lines


@pytest.fixture
def filled(shell: Shell, tmp_path: Path) -> Shell:
    (tmp_path / "places.json").write_text(json.dumps(PLACES))
    shell("topology", "load", tmp_path / "places.json")
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    return shell


@pytest.fixture
def asked(filled: Shell, database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, NOON_MS + 6 * 60 * MINUTE, RANGE) as found:
        yield found


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def sample(database_url: str, at: datetime, *samples: Sample) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        add_samples(cursor, at, samples)


def test_the_links_of_a_kind_of_failure_are_those_of_its_failures(asked: Api, database: Database) -> None:
    kinds = asked.rows("/errors")
    assert sorted(kind["count"] for kind in kinds) == [3, 4]
    for kind in kinds:
        document = asked.document(f"/errors/{kind['id']}/links")
        assert document["meta"]["kind"]["template"] == kind["template"]
        links = document["rows"]
        told = database.ask(
            "SELECT dst_host, count(*) FROM report.transfer WHERE error_template = %s GROUP BY 1", [kind["template"]]
        )
        assert {row["dst_host"]: row["count"] for row in links} == dict(told)
        assert len(links) == kind["links"]
        assert sum(row["count"] for row in links) == kind["count"]
        assert "sample" not in links[0]
        assert asked.rows(f"/errors/{kind['id']}/links", "reads")[0]["sample"]
    assert "sample" not in asked.document("/errors")["rows"][0]
    asked.problem(404, "/errors/0123456789abcdef/links")


def test_a_kind_of_failure_has_the_same_id_in_every_grouping_and_store(asked: Api) -> None:
    kinds = asked.rows("/errors")
    by_kind = {row["template"]: row["id"] for row in kinds}
    finer = asked.rows("/errors", by="dst_host,scope,phase,category,code,template")
    assert {row["template"]: row["id"] for row in finer} == by_kind
    assert len(set(by_kind.values())) == 2
    assert "id" not in asked.rows("/errors", by="template")[0]
    # Made of nothing but the kind itself, so that an address of today holds in another store.
    for kind in kinds:
        parts = [kind[part] or "" for part in ("scope", "phase", "category", "code", "template")]
        assert kind["id"] == hashlib.md5("\x1f".join(parts).encode()).hexdigest()[:16]


def test_pages_of_the_links_of_one_kind_do_not_fit_another(asked: Api) -> None:
    one, other = (kind["id"] for kind in asked.rows("/errors"))
    following = asked.document(f"/errors/{one}/links", limit=1)["meta"]["links"]["next"]
    reply = asked.client.get(following)
    assert (reply.status_code, len(reply.json()["rows"])) == (200, 1)
    assert asked.client.get(following.replace(one, other)).status_code == 400


def test_alerts_open_and_cleared(asked: Api, database_url: str) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        old = NOON - timedelta(days=20)
        raise_alert(cursor, Finding("link_health", "old one", 0.1, 0.5, "long ago"), old)
        raise_alert(cursor, Finding("link_health", "well again", 0.1, 0.5, "was bad"), NOON)
        clear_alert(cursor, "link_health", "well again", NOON + timedelta(minutes=9))
        raise_alert(cursor, Finding("backlog", "a queue", 6000, 5000, "behind"), NOON + timedelta(minutes=1))
    assert [row["subject"] for row in asked.rows("/alerts")] == ["a queue", "well again"]
    assert [row["subject"] for row in asked.rows("/alerts", open=1)] == ["a queue", "old one"]
    (found,) = asked.rows("/alerts", rule="backlog")
    assert (found["value"], found["threshold"], found["cleared_at"]) == (6000, 5000, None)
    assert found["raised_at"] == iso(NOON + timedelta(minutes=1))
    assert [row["subject"] for row in asked.rows("/alerts", rule="!backlog", open=1)] == ["old one"]


def test_queues_as_they_stand_and_unknown_ones_are_not_empty(asked: Api, database_url: str) -> None:
    end = NOON + timedelta(hours=6)
    for age, depth in ((600, 7000), (60, 12), (20, 9)):
        found = Sample("queue", "mq1:8161", "Consumer.t.a", depth, consumers=2, expired=5)
        sample(database_url, end - timedelta(seconds=age), found)
    sample(database_url, end - timedelta(seconds=600), Sample("queue", "mq1:8161", "Consumer.t.silent", 0, consumers=1))
    sample(database_url, end - timedelta(seconds=20), Sample("group", "kafka:9092", "transferscope", 44))
    rows = {row["name"]: row for row in asked.rows("/queues")}
    assert {name: row["depth"] for name, row in rows.items()} == {
        "Consumer.t.a": 9,
        "Consumer.t.silent": None,
        "transferscope": 44,
    }
    assert rows["Consumer.t.silent"]["consumers"] is None
    assert (rows["Consumer.t.a"]["depth_max"], rows["Consumer.t.a"]["samples"]) == (7000, 3)
    assert rows["Consumer.t.a"]["sampled_at"] == iso(end - timedelta(seconds=20))
    each = asked.rows("/queues", samples=1, name="Consumer.t.a")
    assert [row["depth"] for row in each] == [9, 12, 7000]
    assert [row["name"] for row in asked.rows("/queues", kind="group")] == ["transferscope"]


def test_hosts_stand_where_the_topology_puts_them(asked: Api, database: Database) -> None:
    rows = {row["host"]: row for row in asked.rows("/topology/hosts")}
    told = database.ask(
        "SELECT host, count(*) FROM (SELECT src_host AS host, transfer_id FROM report.transfer"
        " UNION SELECT dst_host, transfer_id FROM report.transfer) AS sides GROUP BY 1"
    )
    assert {name: row["transfers"] for name, row in rows.items()} == {**dict(told), "idle.rl.ac.uk": 0}
    found = {name: (row["site"], row["country"], row["status"], row["since"]) for name, row in rows.items()}
    assert found["eoscms.cern.ch"] == ("CERN-PROD", "CH", "host", "2020-01-01T00:00:00Z")
    assert found["se1.desy.de"] == ("DESY-HH", "DE", "domain", None)
    assert found["se.nowhere.org"] == ("unknown", "unknown", "unknown", None)
    assert found["idle.rl.ac.uk"] == ("RAL-LCG2", None, "host", None)
    assert rows["idle.rl.ac.uk"]["last_seen"] is None
    assert [row["host"] for row in asked.rows("/topology/hosts", status="unknown")] == ["se.nowhere.org"]
    assert {row["host"] for row in asked.rows("/topology/hosts", q="DESY")} == {f"se{n}.desy.de" for n in range(3)}
    assert asked.problem(400, "/topology/hosts", status="lost")["errors"][0]["parameter"] == "status"


def test_the_sections_of_quality_are_the_tables(asked: Api, database: Database, filled: Shell) -> None:
    filled("verify")

    def section(name: str) -> list[dict[str, Any]]:
        return asked.rows("/quality", section=name)

    counted = database.ask("SELECT sum(received), sum(stored), sum(duplicate), sum(dead) FROM report.source_10m")
    sums = [sum(row[name] for row in section("sources")) for name in ("received", "stored", "duplicate", "dead")]
    assert (sums, sums[3]) == ([int(each) for each in counted[0]], 3)
    dead = {(row["topic"], row["reason"]): row["count"] for row in section("dead")}
    assert dead == {
        tuple(row[:2]): row[2]
        for row in database.ask("SELECT topic, reason, count(*) FROM report.dead_letter GROUP BY 1, 2")
    }
    (unknown,) = section("hosts")
    lost_bytes = sum(n for n in range(12) if n % 4 == 0)
    assert (unknown["host"], unknown["transfers"], unknown["bytes"]) == ("se.nowhere.org", 3, lost_bytes * 10**9)
    assert unknown["share"] == pytest.approx(lost_bytes / sum(range(12)))
    (joined,) = section("join")
    assert (joined["finished"], joined["paired"], joined["in_flight"] + joined["lost"]) == (19, 2, 1)
    assert joined["completeness"] == pytest.approx(2 / 19)
    mapped = Counter({row["status"]: row["transfers"] for row in section("mapping")})
    assert mapped == {"host": 19, "domain": 16, "unknown": 3}
    assert [(row["revision"], row["source"]) for row in section("topology")] == database.ask(
        "SELECT revision, source FROM report.topology"
    )
    (run,) = section("verify")
    assert (run["cells"], run["differing"]) == database.ask("SELECT cells, differing FROM report.verify_run")[0]
    meta = asked.document("/quality")["meta"]
    assert (meta["verify"]["cells"], meta["topology"]["revision"]) == (run["cells"], 1)
    assert len(section("finality")) == len(database.ask("SELECT 1 FROM report.finality"))


def together(rows: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    return {(row["vo"], row["other_vo"]): row["together"] for row in rows}


def test_vos_beside_each_other_and_no_coefficient_of_few_windows(asked: Api, filled: Shell, tmp_path: Path) -> None:
    lines = []
    for window in range(30):  # CMS in all of them, ATLAS in 26 of them, LHCb in 6
        for number, vo in enumerate(["cms", *(["atlas"] if window >= 4 else []), *(["lhcb"] if window < 6 else [])]):
            size = (window * 7 % 11 + 1 + number) * 10**8
            sent = {"src_hostname": "a.desy.de", "dst_hostname": "b.desy.de", "vo": vo, "tr_bt_transfered": size}
            at = NOON_MS + window * 10 * MINUTE + 5 * MINUTE
            lines.append(line(COMPLETE, complete(1000 + window * 3 + number, at, **sent), at))
    filled("replay", write(tmp_path / "vos.jsonl", lines))
    pair = {"src": "host:a.desy.de", "dst": "host:b.desy.de"}
    document = asked.document("/correlation", **pair)
    rows = {(row["vo"], row["other_vo"]): row for row in document["rows"]}
    assert document["meta"]["fewest"] == 24
    assert together(document["rows"]) == {
        **{("cms", "atlas"): 26, ("atlas", "cms"): 26, ("cms", "lhcb"): 6, ("lhcb", "cms"): 6},
        **{("atlas", "lhcb"): 2, ("lhcb", "atlas"): 2},
    }
    assert rows["cms", "atlas"]["windows"] == 30
    assert rows["cms", "atlas"]["throughput_correlation"] == pytest.approx(1)
    assert rows["cms", "lhcb"]["throughput_correlation"] is None
    assert together(asked.rows("/correlation", vo="cms", **pair)) == {("cms", "atlas"): 26, ("cms", "lhcb"): 6}
    assert set(together(asked.rows("/correlation", vo=["cms", "lhcb"], **pair))) == {("cms", "lhcb"), ("lhcb", "cms")}
    assert {row["src_site"] for row in asked.rows("/correlation")} == {"DESY-HH"}
