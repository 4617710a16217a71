"""What operators see of retention: status, dead letters that were emptied, verify below the raw floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ingest import Ingest
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.aged import KEPT, keep_house
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE, SECOND, T, complete_fields, raw, start_fields
from tests.support.lines import COMPLETE, line, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

MIDNIGHT = T - T % DAY


def fill(ingest: Ingest, day_ms: int, transfers: int) -> None:
    batch = []
    for number in range(transfers):
        at = day_ms + number * SECOND
        own = {"file_id": number, "job_id": f"job-{day_ms}"}
        times = {"tr_timestamp_start": at, "timestamp_tr_st": at, "timestamp_tr_comp": at + MINUTE}
        ended = complete_fields(**own, **times, tr_id=f"{day_ms} {number}", tr_timestamp_complete=at + MINUTE)
        began = start_fields(**own, transfer_id=f"{day_ms} {number}", timestamp=at)
        batch += [raw(FTS_START, began, at + HOUR), raw(FTS_COMPLETE, ended, at + HOUR)]
    assert ingest.process(batch).dead == 0


def test_status_of_an_empty_store_has_nothing_to_tell(shell: Shell) -> None:
    stored = shell.json("status")["storage"]
    assert (stored["raw_floor"], stored["transfers"]) == (None, 0)
    assert [kind["kind"] for kind in stored["kinds"]] == ["raw", "10m", "1h", "1d"]
    nothing = {"partitions": 0, "from": None, "to": None, "bytes": 0, "bytes_per_million_transfers": None}
    assert all({name: kind[name] for name in nothing} == nothing for kind in stored["kinds"])
    assert "about 0 single transfers; none were dropped yet" in shell("status")


def test_status_tells_what_is_stored_and_what_a_million_transfers_take(
    shell: Shell, ingest: Ingest, database: Database
) -> None:
    fill(ingest, MIDNIGHT - DAY, 200)
    fill(ingest, MIDNIGHT, 100)
    stored = shell.json("status")["storage"]
    assert stored["transfers"] == 300, "counted, because PostgreSQL never did"
    kinds = {kind["kind"]: kind for kind in stored["kinds"]}
    assert [kinds[kind]["partitions"] for kind in ("raw", "10m", "1h", "1d")] == [8, 12, 2, 2]
    assert (kinds["raw"]["from"], kinds["raw"]["to"]) == ("2026-11-21T00:00:00Z", "2026-11-23T00:00:00Z")
    assert (kinds["1d"]["from"], kinds["1d"]["to"]) == ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    on_disk = database.value(
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r'"
        " AND relname ~ '^(start|transfer|file_state|queue_message)_p'"
    )
    assert kinds["raw"]["bytes"] == on_disk > 100_000
    assert kinds["raw"]["bytes_per_million_transfers"] == round(on_disk * 1_000_000 / 300)
    database.ask("ANALYZE")
    assert shell.json("status")["storage"]["transfers"] == 300, "as PostgreSQL estimates"

    keep_house(database, MIDNIGHT + KEPT.raw_days * DAY)
    stored = shell.json("status")["storage"]
    assert (stored["raw_floor"], stored["transfers"]) == ("2026-11-22T00:00:00Z", 100)
    assert stored["kinds"][0]["from"] == "2026-11-22T00:00:00Z"
    text = shell("status")
    assert "about 100 single transfers; those before 2026-11-22 00:00Z were dropped" in text
    assert "per million transfers" in text


def test_below_the_floor_verify_and_recompute_refuse_and_right_above_they_work(
    shell: Shell, ingest: Ingest, database: Database
) -> None:
    fill(ingest, MIDNIGHT - DAY, 5)
    fill(ingest, MIDNIGHT, 5)
    keep_house(database, MIDNIGHT + KEPT.raw_days * DAY)
    for command in ("verify", "recompute"):
        assert shell(command, "--from", MIDNIGHT - 1, code=2) == ""
        assert "single transfers before 2026-11-22 are no longer kept: choose a later start" in shell.err
        shell(command, "--from", MIDNIGHT)
        shell(command)


def test_an_emptied_dead_letter_says_plainly_that_its_body_is_gone(
    shell: Shell, database: Database, tmp_path: Path
) -> None:
    bodies = ("no JSON", "nor this")
    lines = [line(COMPLETE, body) for body in bodies]
    shell("replay", write(tmp_path / "bad.jsonl", lines))
    first, second = sorted(letter["id"] for letter in shell.json("dead-letters", "list"))
    database.ask("UPDATE store.dead_letter SET died_at = to_timestamp(%s) WHERE id = %s", [T // 1000, first])
    assert keep_house(database, MIDNIGHT + DAY + KEPT.raw_days * DAY).emptied == 1

    shown = shell.json("dead-letters", "show", first)
    assert (shown["reason"], shown["detail"], shown["headers"], shown["body"]) == ("not_json", "", {}, None)
    assert shown["emptied_at"]
    text = shell("dead-letters", "show", first)
    assert "gone" in text
    assert "not_json" in text
    assert f"the body of dead letter {first} is gone" in shell.err
    assert "bad.jsonl:1 may still have it" in shell.err
    assert shell("dead-letters", "show", first, "--body", code=1) == ""
    assert f"the body of dead letter {first} is gone" in shell.err
    assert shell.json("dead-letters", "show", second)["emptied_at"] is None

    assert shell.json("dead-letters", "replay", code=1) == {
        "tried": 1,
        "replayed": 0,
        "died_again": {"not_json": 1},
        "emptied": 1,
    }
    assert shell("dead-letters", "replay", code=1).startswith("1 tried, 0 replayed")
    assert "1 more cannot be tried: their bodies were removed" in shell.err
    assert len(shell.json("dead-letters", "list")) == 2, "it stays, and is counted"
