"""The HTTP API over a real store: the numbers of the shell, its refusals, its pages, its tags."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from pipeline.store.session import connect
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.shell import Shell
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack

MINUTE = 60_000
HOSTILE = '=cmd|"<script>alert(1)</script>'
UNPAIRED = ("/transfers/in-flight", "/transfers/lost")  # which of them is a matter of the day
RANGE = {"from": "2026-11-22T12:00Z", "to": "2026-11-22T13:00Z"}


def traffic() -> list[str]:
    """Thirty links of CMS, one of them with two failures; a hostile one of ATLAS; a start in flight; a dead letter."""
    lines = [line(COMPLETE, complete(n, NOON_MS + n * MINUTE, dst_hostname=f"se{n:02}.desy.de")) for n in range(30)]
    error = {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "t__error_message": HOSTILE}
    lines += [line(COMPLETE, complete(n, NOON_MS + n * MINUTE, dst_hostname="se01.desy.de", **error)) for n in (31, 32)]
    lines.append(line(COMPLETE, complete(40, NOON_MS + MINUTE, vo="atlas", t_channel=HOSTILE)))
    lines += [line(START, start(50, NOON_MS + MINUTE)), line(COMPLETE, "no json")]
    return lines


@pytest.fixture
def filled(shell: Shell, tmp_path: Path) -> Shell:
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    return shell


@pytest.fixture
def client(filled: Shell, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    reads_and_operates(database_url)
    config = WebConfig(database_url, timeout_s=5)
    server = Server(config, clock=lambda: NOON_MS / 1000 + 2 * 86_400)
    with TestClient(create_app(config, server)) as client:
        yield client


def rows(client: TestClient, path: str, token: str | None = None, **asked: Any) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    reply = client.get(f"/api/v1{path}", params={**RANGE, "shape": "objects", **asked}, headers=headers)
    assert reply.status_code == 200, reply.text
    found = reply.json()["rows"]
    assert isinstance(found, list)
    return found


def problem(client: TestClient, path: str, status: int, **headers: str) -> dict[str, Any]:
    reply = client.get(f"/api/v1{path}", headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    document = reply.json()
    assert document["status"] == status
    assert document["instance"] == f"urn:request:{reply.headers['x-request-id']}"
    assert isinstance(document, dict)
    return document


def test_json_csv_and_the_shell_have_the_same_numbers(client: TestClient, filled: Shell) -> None:
    asked = ("--from", RANGE["from"], "--to", RANGE["to"], "--by", "src_host,dst_host,src_site,dst_site")
    shell = {row["dst_host"]: row for row in filled.json("query", "links", *asked)}
    found = rows(client, "/links")
    text = client.get("/api/v1/links", params={**RANGE, "format": "csv"}).text
    table = {row["dst_host"]: row for row in csv.DictReader(io.StringIO(text))}
    assert len(found) == len(table) == len(shell) == 31
    for row in found:
        name = row["dst_host"]
        for measure in ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved", "efficiency"):
            assert row[measure] == shell[name][measure]
            assert table[name][measure] == ("" if row[measure] is None else str(row[measure]))
    assert {row["dst_host"]: row["efficiency"] for row in found}["se01.desy.de"] == pytest.approx(1 / 3)


def test_every_sum_is_the_total(client: TestClient) -> None:
    (total,) = rows(client, "/summary")
    assert (total["period"], total["ok"], total["failed"]) == ("asked", 31, 2)
    for path, asked in (
        ("/series", {}),
        ("/matrix", {"rows": "host", "cols": "host"}),
        ("/vos", {}),
        ("/sites", {"direction": "in"}),
        ("/channels", {}),
    ):
        found = rows(client, path, **asked)
        for measure in ("ok", "failed", "bytes", "bytes_moved"):
            assert sum(row[measure] for row in found) == total[measure], (path, measure)


def test_the_top_of_a_matrix_counts_what_it_hides(client: TestClient) -> None:
    reply = client.get("/api/v1/matrix", params={**RANGE, "rows": "host", "cols": "host", "top": 10}).json()
    assert len(reply["rows"]) == 10
    assert reply["meta"]["hidden"] == {"cells": 21, "bytes": 21 * 10**9}


def test_a_comparison_is_the_same_hours_before(client: TestClient) -> None:
    later = {"from": "2026-11-23T12:00Z", "to": "2026-11-23T13:00Z"}
    (before,) = rows(client, "/summary", compare="1d", **later)
    (asked,) = rows(client, "/summary")
    assert before["period"] == "before"
    assert [before[name] for name in ("ok", "failed", "bytes")] == [asked[name] for name in ("ok", "failed", "bytes")]


def test_filters_join_and_exclude(client: TestClient) -> None:
    assert [row["vo"] for row in rows(client, "/vos", vo="!cms")] == ["atlas"]
    assert len(rows(client, "/links", dst=["host:se01.desy.de", "se02.desy.de"])) == 2
    assert rows(client, "/links", vo="atlas", dst="se01.desy.de") == []


@pytest.mark.parametrize("sort", ["", "-failed,dst_host", "efficiency", "-throughput"])
def test_all_pages_have_each_row_once_and_in_order_while_data_arrive(
    client: TestClient, filled: Shell, tmp_path: Path, sort: str
) -> None:
    whole = [row["dst_host"] for row in rows(client, "/links", sort=sort, limit=1000)]
    found: list[str] = []
    path: str | None = f"/api/v1/links?from={RANGE['from']}&to={RANGE['to']}&limit=7&shape=objects&sort={sort}"
    while path:
        reply = client.get(path).json()
        found += [row["dst_host"] for row in reply["rows"]]
        path = reply["meta"]["links"].get("next")
        if len(found) == 7:  # a link that nobody has seen, on a page that was read already or not yet
            late = [line(COMPLETE, complete(60, NOON_MS + MINUTE, dst_hostname="new.desy.de"))]
            filled("replay", write(tmp_path / "late.jsonl", late))
    assert [host for host in found if host != "new.desy.de"] == whole
    assert found.count("new.desy.de") <= 1


def test_a_cursor_of_another_question_is_refused(client: TestClient) -> None:
    following = client.get("/api/v1/links", params={**RANGE, "limit": 3}).json()["meta"]["links"]["next"]
    told = problem(client, following.removeprefix("/api/v1").replace("limit=3", "limit=4"), 400)
    assert told["errors"][0]["parameter"] == "cursor"


def test_what_is_wrong_is_named(client: TestClient) -> None:
    fault = problem(client, "/links?sorrt=-failed", 400)["errors"][0]
    assert (fault["parameter"], fault["allowed"]) == ("sorrt", ["sort"])
    for path, parameter in (
        ("/links?limit=5000", "limit"),
        ("/links?sort=size", "sort"),
        ("/links?by=planet", "by"),
        ("/links?from=soon", "from"),
        ("/series?from=now-60d&bin=10m", "bin"),
        ("/queue-status?src=country:CH", "src"),
        ("/names?kind=planet", "kind"),
    ):
        assert problem(client, path, 400)["errors"][0]["parameter"] == parameter, path
    problem(client, "/links", 406, accept="image/png")
    problem(client, "/nowhere", 404)


def test_who_may_see_what(client: TestClient) -> None:
    for path, needed in (("/transfers", 1), ("/transfers/in-flight", 1), ("/transfers/id-1", 1), ("/dead-letters", 2)):
        for number, token in enumerate(("", "reads", "operates")):
            reply = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
            assert reply.status_code == (200 if number >= needed else 403 if number else 401), (path, token)
    problem(client, "/links", 401, authorization="Bearer stolen")
    assert "sample" not in rows(client, "/errors")[0]
    assert rows(client, "/errors", "reads")[0]["count"] == 2
    assert [row for path in UNPAIRED for row in rows(client, path, by="vo")] == [{"vo": "cms", "count": 1}]
    problem(client, "/transfers/in-flight?by=transfer_id", 401)


def test_single_rows(client: TestClient) -> None:
    found = rows(client, "/transfers", "reads", state="failed")
    assert [(row["transfer_id"], row["bytes"]) for row in found] == [("id-32", 10**9), ("id-31", 10**9)]
    assert len(rows(client, "/transfers", "reads", limit=1000)) == 33
    (flying,) = [row for path in UNPAIRED for row in rows(client, path, "reads")]
    assert flying["transfer_id"] == "id-50"
    reply = client.get("/api/v1/transfers/id-31", headers={"Authorization": "Bearer reads"})
    assert len(reply.json()["rows"]) == 1
    problem(client, "/transfers/none-such", 404, authorization="Bearer reads")
    letters = client.get("/api/v1/dead-letters?from=2026-11-01", headers={"Authorization": "Bearer operates"}).json()
    assert len(letters["rows"]) == 1


def test_hostile_text_stays_text(client: TestClient) -> None:
    assert [row["channel"] for row in rows(client, "/channels", vo="atlas")] == [HOSTILE]
    asked = {**RANGE, "vo": "atlas", "format": "csv"}
    guarded = list(csv.DictReader(io.StringIO(client.get("/api/v1/channels", params=asked).text)))
    plain = list(csv.DictReader(io.StringIO(client.get("/api/v1/channels", params={**asked, "raw": 1}).text)))
    assert (guarded[0]["channel"], plain[0]["channel"]) == (f"'{HOSTILE}", HOSTILE)


def test_an_export_has_all_windows_in_each_format(client: TestClient) -> None:
    text = client.get("/api/v1/export/windows", params={**RANGE, "format": "csv", "raw": 1}).text
    table = list(csv.DictReader(io.StringIO(text)))
    tree = ElementTree.fromstring(client.get("/api/v1/export/windows", params={**RANGE, "format": "xml"}).text)
    document = client.get("/api/v1/export/windows", params={**RANGE, "format": "json", "shape": "objects"}).json()
    for found in (
        [(row["dst_host"], row["ok"], row["bytes_moved"]) for row in table],
        [(row.attrib["dst_host"], row.attrib["ok"], row.attrib["bytes_moved"]) for row in tree],
        [(row["dst_host"], str(row["ok"]), str(row["bytes_moved"])) for row in document["rows"]],
    ):
        assert len(found) > 31
        assert sorted(found) == sorted((row["dst_host"], row["ok"], row["bytes_moved"]) for row in table)


def test_what_did_not_change_is_not_asked_again(client: TestClient, filled: Shell, tmp_path: Path) -> None:
    first = client.get("/api/v1/links", params=RANGE)
    tag = {"If-None-Match": first.headers["etag"]}
    again = client.get("/api/v1/links", params=RANGE, headers=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = client.get("/api/v1/links", params={**RANGE, "format": "csv"}, headers=tag)
    assert other.status_code == 200, "another format is another answer"
    late = [line(COMPLETE, complete(70, NOON_MS + MINUTE))]
    filled("replay", write(tmp_path / "late.jsonl", late))
    changed = client.get("/api/v1/links", params=RANGE, headers=tag)
    assert (changed.status_code, changed.headers["etag"] != first.headers["etag"]) == (200, True)


def test_a_database_that_is_away_or_slow_is_said(client: TestClient, database_url: str, tmp_path: Path) -> None:
    config = WebConfig(database_url, timeout_s=0.3)
    with TestClient(create_app(config)) as impatient, closing(connect(database_url)) as owner:
        with owner, owner.cursor() as cursor:
            cursor.execute("LOCK TABLE store.link_10m IN ACCESS EXCLUSIVE MODE")
            problem(impatient, "/summary", 504)
        assert impatient.get("/api/v1/summary").status_code == 200, "and it goes on"
    with TestClient(create_app(WebConfig("postgresql://127.0.0.1:1/none"))) as lonely:
        problem(lonely, "/summary", 503)
        assert lonely.get("/healthz").status_code == 200
        assert lonely.get("/readyz").status_code == 503


def test_every_reply_is_guarded_and_described(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    orders = {(path, method) for path, methods in document["paths"].items() for method in methods if method != "get"}
    assert orders == {("/api/v1/silences", "post"), ("/api/v1/silences/{number}", "delete")}
    for path, methods in document["paths"].items():
        assert not any("422" in each["responses"] for each in methods.values())
        if "get" not in methods:
            continue
        if path.startswith("/api"):
            assert {"200", "304", "400", "401", "403", "404", "406", "503", "504"} <= set(methods["get"]["responses"])
    named = {each["name"] for each in document["paths"]["/api/v1/links"]["get"]["parameters"]}
    assert {"from", "to", "bin", "vo", "src", "dst", "sort", "limit", "cursor", "format"} <= named
    for path in ("/api/v1/summary", "/api/v1/nothing", "/healthz"):
        headers = client.get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
