"""verify, recompute and topology from the shell."""

from __future__ import annotations

import json
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pipeline.store.session import connect
from tests.support.lines import COMPLETE, START, complete, line, start, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

CERN = {"sites": [{"name": "CERN-PROD", "country": "CH"}], "domains": [{"domain": "cern.ch", "sites": ["CERN-PROD"]}]}


@pytest.fixture
def pair(shell: Shell, tmp_path: Path) -> Shell:
    """A store with one transfer."""
    shell("replay", write(tmp_path / "r.jsonl", [line(START, start(1)), line(COMPLETE, complete(1))]))
    return shell


def topology(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "topology.json"
    path.write_text(json.dumps(document))
    return path


def _spoil(database_url: str) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE store.link_10m SET ok = ok + 1")
        assert cursor.rowcount == 1


def test_windows_that_say_what_the_transfers_say_are_equal(pair: Shell) -> None:
    report = pair.json("verify")
    assert report["differing"] == 0
    assert report["cells"] > 100
    assert (report["window_from"], report["window_to"]) == ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")
    assert "all equal" in pair("verify")


def test_a_cell_that_differs_is_shown_with_both_values_and_the_exit_code_is_1(pair: Shell, database_url: str) -> None:
    _spoil(database_url)
    report = pair.json("verify", code=1)
    assert report["differing"] == 1
    (cell,) = report["examples"]
    assert (cell["table"], cell["window_start"], cell["column"]) == ("link_10m", "2026-11-22T12:00:00Z", "ok")
    assert (cell["stored"], cell["recomputed"]) == (2, 1)
    assert (cell["vo"], cell["src_host"]) == ("cms", "eoscms.cern.ch")
    assert "1 differ, 1 of them above" in pair("verify", code=1)


def test_recompute_repairs_what_verify_found_and_a_dry_run_repairs_nothing(pair: Shell, database_url: str) -> None:
    _spoil(database_url)
    dry = pair.json("recompute", "--dry-run")
    assert (dry["changed"], dry["dry_run"]) == (1, True)
    assert (dry["examples"][0]["before"], dry["examples"][0]["after"]) == (2, 1)
    assert pair.json("verify", code=1)["differing"] == 1
    assert pair.json("recompute")["changed"] == 1
    assert pair.json("verify")["differing"] == 0


def test_the_range_of_a_recompute_leaves_other_days_alone(pair: Shell, database_url: str) -> None:
    _spoil(database_url)
    assert pair.json("recompute", "--to", "2026-11-22")["days"] == 0
    assert pair.json("verify", code=1)["differing"] == 1


def test_a_range_below_what_is_kept_is_refused(pair: Shell, database_url: str) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO store.setting VALUES ('raw_floor_ms', '1795305600000')")
    pair("verify", "--from", "2026-11-21", code=2)
    assert "choose a later start" in pair.err


def test_a_topology_marks_windows_as_stale_until_recompute(pair: Shell, tmp_path: Path) -> None:
    loaded = pair.json("topology", "load", topology(tmp_path, CERN))
    assert (loaded["revision"], loaded["is_new"], loaded["stale"]) == (1, True, 1)
    (row,) = pair.json("query", "links", "--where", "stale=true")
    assert row["src_site"] == "unknown"
    assert pair.json("recompute")["rows"] == 2
    (row,) = pair.json("query", "links")
    assert (row["src_site"], row["src_country"], row["dst_site"], row["stale"]) == ("CERN-PROD", "CH", "unknown", False)
    assert pair.json("verify")["differing"] == 0


def test_the_same_topology_again_is_no_new_revision(shell: Shell, tmp_path: Path) -> None:
    path = topology(tmp_path, CERN)
    shell("topology", "load", path)
    again = shell.json("topology", "load", path)
    assert again == {"revision": 1, "is_new": False, "changes": 0, "stale": 0, "warnings": []}


def test_a_host_is_shown_with_the_entry_that_places_it_at_that_time(shell: Shell, tmp_path: Path) -> None:
    moved = CERN | {
        "sites": [{"name": "CERN-PROD", "country": "CH"}, {"name": "DESY-HH", "country": "DE"}],
        "hosts": [{"host": "se.cern.ch", "site": "DESY-HH", "valid_to": "2015-01-01"}],
    }
    shell("topology", "load", topology(tmp_path, moved))
    now = shell.json("topology", "show", "SE.cern.ch:8443")
    assert (now["host"], now["answers"][0]["site"], now["answers"][0]["status"]) == (
        "se.cern.ch",
        "CERN-PROD",
        "domain",
    )
    then = shell.json("topology", "show", "se.cern.ch", "--at", "2014-06-01")
    assert then["answers"][0]["site"] == "DESY-HH"
    assert [(entry["kind"], entry["holds"]) for entry in then["entries"]] == [("host", True), ("domain", True)]
    assert "DESY-HH" in shell("topology", "show", "se.cern.ch", "--at", "2014-06-01")


def test_before_any_topology_was_loaded_show_says_so(shell: Shell) -> None:
    shell("topology", "show", "se.cern.ch", code=1)
    assert "topology load" in shell.err


def test_a_topology_that_cannot_be_used_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"sites": [')
    shell("topology", "load", broken, code=2)
    assert "broken.json" in shell.err
    shell("topology", "load", tmp_path / "none.json", code=2)
    assert "cannot be read" in shell.err
    shell("topology", "show", "x", code=1)


def test_a_topology_can_come_from_an_address(shell: Shell) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/topology.json" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(CERN).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert shell.json("topology", "load", f"{address}/topology.json")["revision"] == 1
        shell("topology", "load", f"{address}/other.json", code=3)
        assert f"{address}/other.json" in shell.err
        server.shutdown()
    shell("topology", "load", f"{address}/topology.json", code=3)
