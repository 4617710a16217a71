"""Texts that attack whoever reads them, through one store, in everything that shows them."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.database import Database
from tests.support.hostile import TEXTS
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.shell import Shell
from tests.support.tokens import let_in

pytestmark = pytest.mark.stack

RANGE = {"from": "2026-11-22T00:00Z", "to": "2026-11-23T00:00Z"}
ACTIVE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
csv.field_size_limit(1 << 24)
FORMULA = re.compile(r"[=+\-@\t\r]")


def is_tame(shown: str) -> bool:
    """Whether nothing in it acts on a terminal, but ends of lines."""
    return not any(unicodedata.category(each) in ACTIVE for each in shown if each != "\n")


@pytest.fixture
def attacked(shell: Shell, database_url: str, tmp_path: Path) -> Shell:
    """A failure, a start and a dead letter with each text, in every field that takes one."""
    lines = []
    for number, text in enumerate(TEXTS.values()):
        named: dict[str, Any] = {"vo": text[:60], "t_channel": text[:60]}
        failed: dict[str, Any] = {"t_final_transfer_state": "Error", "t__error_message": text, "job_id": text[:60]}
        lines.append(line(COMPLETE, complete(number, tr_id=f"t{number}", **named, **failed)))
        lines.append(line(START, start(100 + number, **named)))
        lines.append(line(COMPLETE, text))
    shell("replay", write(tmp_path / "traffic.jsonl", lines))
    let_in(database_url, "operates", "operator")
    return shell


@pytest.mark.parametrize("report", ["transfers", "errors", "links", "channels", "in-flight", "dead-letters", "vos"])
def test_tables_on_a_terminal_show_it_and_do_nothing(attacked: Shell, report: str) -> None:
    shown = attacked("query", report)
    assert is_tame(shown)
    assert shown.count("\n") < 60, "a text makes no lines of its own"
    exported = list(csv.reader(io.StringIO(attacked("query", report, "--format", "csv"))))
    assert len(exported) > 5
    numbers = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?")
    for row in exported:
        assert [cell for cell in row if FORMULA.match(cell) and not numbers.fullmatch(cell)] == []
    written = attacked("query", report, "--json")
    assert is_tame(written)
    json.loads(written)


def test_nothing_was_run_and_every_text_is_kept_as_it_is(attacked: Shell, database: Database) -> None:
    assert database.value("SELECT count(*) FROM report.transfer") == len(TEXTS)
    kept = {row[0] for row in database.ask("SELECT job_id FROM report.transfer")}
    assert "'; DROP TABLE store.transfer; -- \\'; %s %(x)s {0}"[:60] in kept
    assert database.value("SELECT max(length(template)) FROM report.error_10m") <= 2_000


def test_a_dead_letter_shown_whole_is_tame(attacked: Shell) -> None:
    for row in attacked.json("dead-letters", "list", "--all"):
        assert is_tame(attacked("dead-letters", "show", row["id"]).replace("\t", ""))


class Acting(HTMLParser):
    """What a browser would run in a page, as it reads it: scripts, handlers, addresses of elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        assert parser.rawdata == ""
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            is_address = name in ("href", "src", "action") and not (value or "").startswith(("/", "#", "?"))
            if name.startswith("on") or is_address or name == "style":
                self.found.append(f"{tag} {name}={value}")
        if tag == "script" and "src" not in dict(attrs):
            self.found.append("script")


def test_the_reader_of_pages_would_see_them() -> None:
    assert Acting.of("<p onclick=x>") == ["p onclick=x"]
    assert Acting.of("<a href='javascript:x'>") == ["a href=javascript:x"]
    assert Acting.of("<script>x</script>") == ["script"]
    assert Acting.of("<p title='<script> onclick=x'>&lt;script&gt;") == []


@pytest.fixture
def client(attacked: Shell, database_url: str) -> Iterator[TestClient]:
    config = WebConfig(database_url)
    server = Server(config, clock=lambda: NOON_MS / 1000 + 7200)
    with TestClient(create_app(config, server), headers={"Authorization": "Bearer operates"}) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/matrix", "/vos", "/channels", "/errors", "/transfers", "/transfers/t0"])
def test_pages_hold_it_as_text(client: TestClient, path: str) -> None:
    asked = {} if path == "/transfers/t0" else RANGE
    reply = client.get(path, params=asked, headers={"accept": "text/html"})
    assert reply.status_code == 200
    assert Acting.of(reply.text) == []
    assert ">49<" not in reply.text
    assert "'unsafe" not in reply.headers["content-security-policy"]
    assert len(reply.text) < 2_000_000


@pytest.mark.parametrize("path", ["transfers", "errors", "links", "channels", "transfers/lost"])
def test_files_of_the_api_start_no_formula_and_json_is_json(client: TestClient, path: str) -> None:
    reply = client.get(f"/api/v1/{path}", params={**RANGE, "format": "csv"})
    rows = list(csv.reader(io.StringIO(reply.text)))
    assert len(rows) > 1
    texts = [cell for row in rows[1:] for cell in row if re.search(r"[A-Za-z]", cell)]
    assert [cell for cell in texts if FORMULA.match(cell)] == []
    assert reply.headers["x-content-type-options"] == "nosniff"
    found = client.get(f"/api/v1/{path}", params=RANGE)
    assert found.headers["content-type"] == "application/json"
    assert len(found.json()["rows"]) == len(rows) - 1


def test_exported_xml_is_read_back(client: TestClient) -> None:
    reply = client.get("/api/v1/export/windows", params={**RANGE, "format": "xml"})
    assert reply.status_code == 200
    assert len(list(ElementTree.fromstring(reply.text).iter())) > 10


@pytest.mark.parametrize("text", [text for name, text in TEXTS.items() if name != "a MB"])
def test_a_question_with_it_is_answered_or_refused_and_forges_no_line(
    client: TestClient, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    caplog.set_level(logging.INFO)
    for asked in ({"vo": text}, {"src": text}, {"q": text}, {"sort": text}, {text: "x"}, {"cursor": text}):
        reply: Any = client.get("/api/v1/links", params={**RANGE, **asked})
        assert reply.status_code in (200, 400)
        assert "Traceback" not in reply.text
        assert "SELECT" not in reply.text
    for path in ("transfers", "errors", "sites", "vos", "channels"):
        shown = client.get(f"/{path}/{quote(text, safe='')}", headers={"accept": "text/html"})
        assert shown.status_code in (200, 400, 404), path
        assert "<script>alert" not in shown.text
    ours = [record for record in caplog.records if record.name.startswith("pipeline")]
    assert [record.getMessage() for record in ours if "\n" in record.getMessage()] == []
