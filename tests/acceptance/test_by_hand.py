"""The commands of an operator, one after the other, and the tables after them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.simulator import write_jsonl
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.fts_messages import HOUR, T, complete_fields
from tests.support.lines import COMPLETE, START, line, write
from tests.support.oracle import expect
from tests.support.places import PLACES, place_of
from tests.support.recounted import assert_holds, nowhere, rough_traffic

pytestmark = pytest.mark.stack

SEED = 61
SAMPLES = Path(__file__).parents[1] / "data" / "fts"


@pytest.fixture
def database(transferscope: Commands) -> Iterator[Database]:
    with closing(Database(transferscope.database_url)) as database:
        yield database


@pytest.fixture
def recorded(transferscope: Commands, tmp_path: Path) -> Path:
    """A file of rough traffic that was replayed."""
    path = tmp_path / "recorded.jsonl.gz"
    write_jsonl(rough_traffic(2000, SEED), path)
    expected = expect(path, nowhere)
    told = transferscope.json("replay", path)
    assert (told["stored"], told["duplicate"], told["dead"]) == (expected.stored, expected.duplicate, expected.dead)
    return path


def test_the_real_messages_give_their_rows_and_the_drafts_are_dead_letters(
    transferscope: Commands, database: Database
) -> None:
    assert not [step for step in transferscope.json("init") if step["is_new"]], "init is to be repeatable"
    told = transferscope.json("replay", *sorted(SAMPLES.glob("*.json")))
    assert told == {"files": 5, "received": 5, "stored": 3, "duplicate": 0, "dead": 2, "bad_lines": 0}
    transfers = transferscope.json("query", "transfers", "--order", "ended_at")
    assert [(row["ended_at"], row["vo"], row["bytes"], row["streaming_ms"]) for row in transfers] == [
        ("2011-11-18T10:31:49Z", "cms", 2_684_354_560, 30_000),
        ("2017-04-26T14:35:44.240Z", "atlas", 10_556_847, 2_308),
    ]
    (flying,) = transferscope.json("query", "in-flight")
    assert (flying["transfer_id"], flying["lost"]) == ("RAL-CERN__2011-11-18-1031_OlJgnE", True)
    letters = database.ask("SELECT topic, reason, body FROM report.dead_letter ORDER BY topic")
    assert [(topic, reason, bytes(body)) for topic, reason, body in letters] == [
        (COMPLETE, "not_json", (SAMPLES / "draft_complete_2012.json").read_bytes()),
        (START, "not_json", (SAMPLES / "draft_start_2012.json").read_bytes()),
    ]
    assert_holds(SAMPLES / "samples.jsonl", transferscope.database_url)
    again = transferscope.json("replay", SAMPLES / "samples.jsonl")
    assert (again["stored"], again["duplicate"]) == (0, 3)
    assert transferscope.json("verify")["differing"] == 0


def test_verify_names_every_cell_that_was_tampered_with_and_recompute_mends_them(
    transferscope: Commands, recorded: Path, database: Database
) -> None:
    assert transferscope.json("verify")["differing"] == 0
    tampered = dict(_tamper(database))
    report = transferscope.json("verify", code=1)
    found = {(cell["table"], cell["column"]): cell for cell in report["examples"]}
    for (table, column), key in tampered.items():
        cell = found[table, column]
        assert {name: cell[name] for name in key} == key
        assert cell["stored"] != cell["recomputed"]
    said = transferscope("verify", code=1)
    assert all(table in said for table, _ in tampered)
    assert f"{report['differing']} differ" in said

    assert transferscope.json("recompute", "--dry-run")["changed"] == report["differing"]
    assert transferscope.json("verify", code=1)["differing"] == report["differing"]
    assert transferscope.json("recompute")["changed"] == report["differing"]
    assert transferscope.json("verify")["differing"] == 0
    assert_holds(recorded, transferscope.database_url, note=f"seed {SEED}")


def test_a_loaded_topology_marks_windows_stale_until_recompute_applies_it(
    transferscope: Commands, recorded: Path, database: Database, tmp_path: Path
) -> None:
    topology = tmp_path / "places.json"
    topology.write_text(json.dumps(PLACES))
    loaded = transferscope.json("topology", "load", topology)
    stale = database.value("SELECT count(*) FROM report.link_10m WHERE stale")
    assert (loaded["revision"], loaded["is_new"]) == (1, True)
    assert loaded["stale"] == stale > 0
    assert transferscope.json("topology", "show", "EOSATLAS.cern.ch.")["answers"][0]["site"] == "CERN-WIGNER"
    assert transferscope.json("verify")["differing"] == 0, "stale windows still say what their rows say"

    would = transferscope.json("recompute", "--dry-run")
    assert_holds(recorded, transferscope.database_url, nowhere, f"seed {SEED}")
    did = transferscope.json("recompute")
    assert would == did | {"dry_run": True}
    assert did["rows"] > 0
    cells = [cell for cell in did["examples"] if cell["column"] == "bytes"]
    placed = [c for c in cells if c["src_host"].endswith(".cern.ch") or c["dst_host"].endswith(".cern.ch")]
    assert placed
    assert {"unknown"} == {site for c in placed for site in (c["src_site"], c["dst_site"])}
    assert all(c["before"] is not None and c["after"] is None for c in placed)
    assert_holds(recorded, transferscope.database_url, place_of, f"seed {SEED}")
    assert database.value("SELECT count(*) FROM report.link_10m WHERE stale") == 0
    assert transferscope.json("verify")["differing"] == 0


def test_dead_letters_are_listed_shown_and_replayed_once_the_cause_is_mended(
    transferscope: Commands, recorded: Path, database: Database, tmp_path: Path
) -> None:
    """What PostgreSQL refuses is stood in for by a constraint that is dropped later."""
    database.ask("ALTER TABLE store.transfer ADD CONSTRAINT mischief CHECK (file_id <> '4711')")
    bodies = {number: complete_fields(file_id=number, tr_id=f"id-{number}") for number in range(4700, 4720)}
    more = write(tmp_path / "more.jsonl", [line(COMPLETE, body, T + HOUR) for body in bodies.values()])
    assert transferscope.json("replay", more)["dead"] == 1

    (listed,) = transferscope.json("dead-letters", "list", "--reason", "store_refused")
    shown = transferscope.json("dead-letters", "show", listed["id"])
    assert (json.loads(shown["body"]), shown["ref"]) == (bodies[4711], f"{more}:12")
    assert "store_refused" in transferscope("dead-letters", "show", listed["id"])

    replay = ("dead-letters", "replay", "--reason", "store_refused")
    assert transferscope.json(*replay, code=1)["died_again"] == {"store_refused": 1}
    database.ask("ALTER TABLE store.transfer DROP CONSTRAINT mischief")
    assert transferscope.json(*replay) == {"tried": 1, "replayed": 1, "died_again": {}, "emptied": 0}
    assert transferscope.json(*replay)["tried"] == 0
    assert_holds([recorded, more], transferscope.database_url, note=f"seed {SEED}")
    assert transferscope.json("verify")["differing"] == 0


def _tamper(database: Database) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Spoils a cell of each kind of window, removes a window, and spoils a histogram; gives table and column, and the
    key of the row."""
    for table, column, change in (
        ("link_10m", "ok", "UPDATE {} SET ok = ok + 1 {}"),
        ("link_1h", "bytes_moved", "UPDATE {} SET bytes_moved = bytes_moved - 1 {}"),
        ("link_1d", "bytes", "DELETE FROM {} {}"),
    ):
        row = database.ask(
            f"SELECT window_start, link_id, src_host, dst_host FROM store.{table} JOIN store.link ON id = link_id"
            " WHERE ok > 0 ORDER BY window_start, link_id LIMIT 1"
        )[0]
        database.ask(change.format(f"store.{table}", "WHERE window_start = %s AND link_id = %s"), row[:2])
        yield (table, column), {"window_start": f"{row[0]:%Y-%m-%dT%H:%M:%SZ}", "src_host": row[2], "dst_host": row[3]}
    at, link, code = database.ask("SELECT window_start, link_id, codes[1] FROM store.link_hist LIMIT 1")[0]
    database.ask(
        "UPDATE store.link_hist SET counts[1] = counts[1] + 1 WHERE (window_start, link_id, codes[1]) = (%s, %s, %s)",
        (at, link, code),
    )
    yield ("link_hist", f"code {code}"), {"window_start": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
