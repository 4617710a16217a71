"""Parameters of the API change what is given and never what a number is: each is held against the plain answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.web.config import Rate
from tests.support import postgres
from tests.support.api import Api, api
from tests.support.lines import COMPLETE, NOON_MS, complete, line
from tests.support.replayed import replayed

pytestmark = pytest.mark.stack

MINUTE = 60_000
RANGE = {"from": "2026-11-22T12:00Z", "to": "2026-11-22T16:00Z"}
XS = "{http://www.w3.org/2001/XMLSchema}"
FAILED = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "tr_bt_transfered": 0}


def traffic() -> list[str]:
    """Of two instances over four hours, one of which is silent in the second; some links have one transfer alone."""
    lines = []
    for n in range(60):
        at = NOON_MS + n * 4 * MINUTE
        sent: dict[str, Any] = {
            "dst_hostname": f"se{n % 4}.desy.de" if n % 9 else f"once{n}.gridka.de",
            "vo": ("cms", "atlas")[n % 2],
            "tr_bt_transfered": (n + 1) * 10**8,
            "timestamp_tr_st": at - (n + 1) * 1000,
        }
        lines.append(line(COMPLETE, complete(n, at, **sent | (FAILED if n % 13 == 5 else {})), at + 1000))
        if not 60 <= n * 4 < 120:
            other = {"endpnt": "fts.other.org", "dst_hostname": "se0.desy.de"}
            lines.append(line(COMPLETE, complete(100 + n, at, **other), at + 1000))
    return lines


@pytest.fixture(scope="module")
def asked(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One store for all of these tests: they only read."""
    folder = tmp_path_factory.mktemp("parameters")
    with (
        replayed(template_url, folder, traffic()) as url,
        api(url, NOON_MS + 6 * 60 * MINUTE, RANGE) as found,
    ):
        yield found


def test_a_text_leaves_the_rows_with_it_in_a_name_and_no_others(asked: Api) -> None:
    whole = asked.rows("/links", limit=1000)
    for text in ("ONCE", "se1.", "gridka", "%", "_", "*", "eoscms"):
        names = ("src_host", "dst_host", "src_site", "dst_site")
        held = [row for row in whole if any(text.lower() in str(row[name]).lower() for name in names)]
        assert asked.rows("/links", q=text, limit=1000) == held, text
    assert len(asked.rows("/links", q="once", limit=1000)) == 7
    assert [row["vo"] for row in asked.rows("/vos", q="MS")] == ["cms"]
    assert asked.rows("/vos", q="fts") == [], "a technology is no name"
    assert len(asked.rows("/links", q="se", limit=1)) == 1
    following = asked.document("/links", q="se", limit=1)["meta"]["links"]["next"]
    assert "once" not in str(asked.client.get(following).json()["rows"])


def test_small_cells_are_hidden_and_counted(asked: Api) -> None:
    whole = asked.rows("/matrix", rows="host", cols="host")
    document = asked.document("/matrix", rows="host", cols="host", min_n=2)
    held = [row for row in whole if row["ok"] + row["failed"] >= 2]
    assert document["rows"] == held
    hidden = [row for row in whole if row not in held]
    assert len(hidden) == 7
    assert document["meta"]["hidden"] == {"cells": 7, "bytes": sum(row["bytes"] for row in hidden)}


def test_a_transposed_matrix_has_the_same_cells_the_other_way_round(asked: Api) -> None:
    plain = asked.get("/matrix", rows="host", cols="site").json()
    turned = asked.get("/matrix", rows="host", cols="site", transpose=1).json()
    assert [column["name"] for column in turned["columns"]][:3] == ["technology", "dst_site", "src_host"]
    back = [[row[0], row[2], row[1], *row[3:]] for row in turned["rows"]]
    assert sorted(back, key=str) == sorted(plain["rows"], key=str)


def test_percentiles_are_those_of_the_view(asked: Api) -> None:
    (row,) = asked.rows("/links/stages", p="50,90,99.9")
    (usual,) = asked.rows("/links/stages")
    assert row["streaming_p50"] == usual["streaming_p50"]
    assert row["streaming_p50"] <= row["streaming_p90"] <= row["streaming_p99.9"]
    assert "streaming_p95" not in row
    lasted = sorted((n + 1) * 1000 for n in range(60) if n % 13 != 5) + [40_000] * 45
    assert row["streaming_count"] == len(lasted)
    assert row["streaming_p90"] == pytest.approx(sorted(lasted)[int(len(lasted) * 0.9)], rel=1 / 8)
    assert asked.problem(400, "/links/stages", p="101")["errors"][0]["parameter"] == "p"


def test_measures_of_a_series_are_those_that_were_asked_for(asked: Api) -> None:
    whole = asked.rows("/series", by="vo")
    names = ("window_start", "technology", "vo", "ok", "bytes_moved", "unfinished", "not_final")
    found = asked.rows("/series", by="vo", measure=["bytes_moved", "ok"])
    assert found == [{name: row[name] for name in names} for row in whole]
    (first, *_) = asked.rows("/series", measure="streaming_p95")
    assert list(first) == ["window_start", "technology", "streaming_p95", "unfinished", "not_final"]
    fault = asked.problem(400, "/series", measure="speed")["errors"][0]
    assert (fault["parameter"], "throughput" in fault["allowed"]) == ("measure", True)


def test_a_silent_source_is_a_gap_and_one_that_is_heard_is_none(asked: Api) -> None:
    silent = {"source": "fts.other.org", "from": "2026-11-22T13:00:00Z", "to": "2026-11-22T14:00:00Z"}
    for path in ("/series", "/summary"):
        assert asked.document(path)["meta"]["gaps"] == [silent]
        assert asked.document(path, fts="fts3.cern.ch")["meta"]["gaps"] == []
        assert asked.document(path, technology="xrootd")["meta"]["gaps"] == []
    later = asked.document("/series", to="2026-11-22T17:00Z")["meta"]["gaps"]
    assert sorted((gap["source"], gap["from"][11:16], gap["to"][11:16]) for gap in later) == [
        ("fts.other.org", "13:00", "14:00"),
        ("fts.other.org", "16:00", "17:00"),
        ("fts3.cern.ch", "16:00", "17:00"),
    ]


def test_a_site_and_a_host_stand_together(asked: Api) -> None:
    plain = asked.rows("/links", dst="host:se1.desy.de")
    assert len(plain) == 1
    assert asked.rows("/links", src="site:unknown", dst="host:se1.desy.de") == plain
    assert asked.rows("/links", src="site:NOWHERE", dst="host:se1.desy.de") == []


def test_who_asks_too_often_is_told_when_to_come_again(template_url: str, tmp_path: Path) -> None:
    with postgres.copy_of(template_url) as url, api(url, NOON_MS, rate=Rate(per_s=0.01, burst=2)) as slow:
        assert [slow.get("/freshness").status_code for _ in range(2)] == [200, 200]
        told = slow.problem(429, "/freshness")
        assert told["title"] == "Too many requests"
        assert 0 < int(slow.get("/freshness").headers["retry-after"]) <= 100
        assert slow.get("/freshness", "reads").status_code == 200, "a token is a caller of its own"
        assert slow.client.get("/api/v1/freshness", headers={"Authorization": "bearer  reads"}).status_code == 200
        slow.problem(429, "/freshness", " reads ")
        slow.problem(429, "/freshness", "stolen")
        assert slow.client.get("/healthz").status_code == 200


def test_an_ending_is_a_format(asked: Api) -> None:
    reply = asked.get("/links.csv", limit=3)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.text == asked.get("/links", format="csv", limit=3).text
    assert "/links?" in reply.headers["link"]
    assert asked.get("/export/windows.xml").text == asked.get("/export/windows", format="xml").text
    assert asked.problem(400, "/links.xml")["errors"][0]["parameter"] == "format"


def test_every_column_says_what_it_means(asked: Api) -> None:
    for path in ("/summary", "/links", "/errors", "/queues", "/alerts", "/topology/hosts", "/quality", "/freshness"):
        columns = asked.client.get(f"/api/v1{path}").json()["columns"]
        assert [column["name"] for column in columns if not column["meaning"]] == []


def test_an_export_is_counted_and_its_json_is_that_of_the_rows(asked: Api) -> None:
    document = asked.document("/export/windows", format="json")
    table = list(csv.DictReader(io.StringIO(asked.get("/export/windows.csv").text)))
    counted = asked.get("/export/windows", count=1, format="json")
    assert counted.json()["rows"] == [[len(table)]] == [[len(document["rows"])]]
    assert [str(row["bytes_moved"]) for row in document["rows"]] == [row["bytes_moved"] for row in table]
    assert asked.get("/export/windows", count=1, format="csv").text.split() == ["count", str(len(table))]
    assert document["meta"]["revision"]


def test_the_published_schema_holds_for_xml_exports(asked: Api) -> None:
    reply = asked.client.get("/api/v1/schema/windows.xsd")
    assert reply.headers["content-type"] == "application/xml"
    schema = ElementTree.fromstring(reply.text)
    types = {each.attrib["name"]: each.attrib["type"] for each in schema.iter(f"{XS}attribute")}
    assert all(each.findtext(f"{XS}annotation/{XS}documentation") for each in schema.iter(f"{XS}attribute"))
    (root,) = schema.findall(f"{XS}element")
    assert root.attrib["name"] == "windows"
    readers: dict[str, Callable[[str], object]] = {
        "xs:long": int,
        "xs:double": float,
        "xs:boolean": ("true", "false").index,
        "xs:dateTime": datetime.fromisoformat,
        "xs:string": str,
    }
    for asking in ({}, {"count": 1}):
        windows = ElementTree.fromstring(asked.get("/export/windows.xml", **asking).text)
        assert windows.tag == "windows"
        assert len(windows) > 0
        for window in windows:
            assert window.tag == "window"
            for name, value in window.attrib.items():
                readers[types[name]](value)
