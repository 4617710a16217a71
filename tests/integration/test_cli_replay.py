"""Recorded files into the store from the shell, and the dead letters that come of them."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.session import connect
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.shell import Shell

DATA = Path(__file__).parents[1] / "data" / "fts"

pytestmark = pytest.mark.stack


def _pretend_reason(database_url: str, reason: str) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE store.dead_letter SET reason = %s", (reason,))


def _repair(database_url: str, body: bytes, repaired: dict[str, Any]) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        new = json.dumps(repaired).encode()
        cursor.execute("UPDATE store.dead_letter SET body = %s WHERE body = %s", (new, body))
        assert cursor.rowcount == 1


def test_the_real_messages_give_their_rows_and_those_that_are_no_json_dead_letters(shell: Shell) -> None:
    files = sorted(DATA.glob("*.json"))
    assert len(files) == 5
    assert shell.json("replay", *files) == {
        "files": 5,
        "received": 5,
        "stored": 3,
        "duplicate": 0,
        "dead": 2,
        "bad_lines": 0,
    }
    transfers = {row["transfer_id"]: row for row in shell.json("query", "transfers")}
    assert set(transfers) == {
        "RAL-CERN__2011-11-18-1031_14JIbi",
        "2017-04-26-1435__storm-fe.cr.cnaf.infn.it__grid002.ft.uam.es__1461431003"
        "__f9b18c10-0132-51df-b341-3031a0a9ea39",
    }
    ral = transfers["RAL-CERN__2011-11-18-1031_14JIbi"]
    assert (ral["vo"], ral["channel"], ral["bytes"], ral["state"]) == ("cms", "RAL-CERN", 2684354560, "ok")
    (flying,) = shell.json("query", "in-flight")
    assert (flying["transfer_id"], flying["started_at"], flying["lost"]) == (
        "RAL-CERN__2011-11-18-1031_OlJgnE",
        "2011-11-18T10:31:03Z",
        True,
    )
    letters = shell.json("query", "dead-letters", "--order", "topic")
    assert [(letter["topic"], letter["reason"]) for letter in letters] == [(COMPLETE, "not_json"), (START, "not_json")]


def test_json_lines_of_the_same_messages_are_duplicates(shell: Shell) -> None:
    shell("replay", *DATA.glob("*.json"))
    again = shell.json("replay", DATA / "samples.jsonl")
    assert (again["received"], again["stored"], again["duplicate"], again["dead"]) == (5, 0, 3, 2)


def test_a_file_replayed_twice_gives_each_dead_letter_once(shell: Shell, tmp_path: Path) -> None:
    recorded = write(tmp_path / "r.jsonl", [line(START, "no json"), line(START, "no json")])
    for _ in range(2):
        assert shell.json("replay", recorded)["dead"] == 2
    letters = shell.json("query", "dead-letters")
    assert sorted(letter["ref"] for letter in letters) == [f"{recorded}:1", f"{recorded}:2"]


def test_bad_lines_are_told_with_their_place_and_the_rest_is_stored(shell: Shell, tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", [line(START, start(1)), "oops", line(COMPLETE, complete(1))])
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(line(START, start(2)).encode())[:-10])
    done = shell.json("replay", good, cut, code=1)
    assert (done["stored"], done["bad_lines"]) == (2, 2)
    assert f"{good}:2: not JSON" in shell.err
    assert f"{cut}:1: cannot be read on" in shell.err


def test_many_bad_lines_are_told_in_few_words_and_counted(shell: Shell, tmp_path: Path) -> None:
    done = shell.json("replay", write(tmp_path / "bad.jsonl", ["oops"] * 100), code=1)
    assert done["bad_lines"] == 100
    assert shell.err.count("bad.jsonl:") == 20
    assert "and 80 more such lines in this file" in shell.err


def test_a_dead_letter_is_shown_whole_and_harmless(shell: Shell, tmp_path: Path) -> None:
    body = b'{"tr_id": "\x1b[2J\xff"'
    shell(
        "replay", write(tmp_path / "r.jsonl", [line(COMPLETE, body, headers={"message-id": "ID:1", "x": "\x1b[31m"})])
    )
    (letter,) = shell.json("dead-letters", "list")
    shown = shell.json("dead-letters", "show", letter["id"])
    assert shown["body_base64"] == "eyJ0cl9pZCI6ICIbWzJK/yI="
    assert shown["headers"] == {"message-id": "ID:1", "x": "\x1b[31m"}
    assert shown["received"] == NOON_MS + 120_000
    text = shell("dead-letters", "show", letter["id"])
    assert "\x1b" not in text
    assert "\\x1b[2J\\xff" in text
    assert "ID:1" in text


def test_a_dead_letter_that_is_not_there_is_said(shell: Shell) -> None:
    assert shell("dead-letters", "show", 17, code=1) == ""
    assert "there is no dead letter 17" in shell.err


def test_dead_letters_that_still_cannot_be_used_stay_with_the_reason_of_the_new_try(
    shell: Shell, tmp_path: Path, database_url: str
) -> None:
    shell("replay", write(tmp_path / "r.jsonl", [line(COMPLETE, complete(1, t_final_transfer_state="Maybe"))]))
    _pretend_reason(database_url, "bad_time")
    assert shell.json("dead-letters", "replay", code=1) == {
        "tried": 1,
        "replayed": 0,
        "died_again": {"unknown_state": 1},
        "emptied": 0,
    }
    (letter,) = shell.json("dead-letters", "list")
    assert (letter["reason"], letter["replayed_at"]) == ("unknown_state", None)


def test_dead_letters_that_can_be_used_now_give_what_they_would_have_given_on_time(
    shell: Shell, tmp_path: Path, database_url: str
) -> None:
    """A fix of the program is stood in for by a repaired body."""
    shell(
        "replay",
        write(tmp_path / "r.jsonl", [line(START, start(1)), line(COMPLETE, "no json"), line(COMPLETE, "never json")]),
    )
    _repair(database_url, b"no json", complete(1))
    assert shell.json("dead-letters", "replay", "--reason", "not_json", code=1) == {
        "tried": 2,
        "replayed": 1,
        "died_again": {"not_json": 1},
        "emptied": 0,
    }
    (transfer,) = shell.json("query", "transfers")
    assert transfer["start_ref"] == f"{tmp_path / 'r.jsonl'}:1"
    assert transfer["received_at"] == "2026-11-22T12:02:00Z"
    assert shell.json("query", "in-flight") == []
    assert [letter["detail"][:8] for letter in shell.json("dead-letters", "list")] == ["not JSON"]
    replayed = [letter for letter in shell.json("dead-letters", "list", "--all") if letter["replayed_at"]]
    assert len(replayed) == 1
    assert shell.json("dead-letters", "replay", code=1)["tried"] == 1
    assert shell.json("verify")["differing"] == 0


def test_bodies_that_are_not_whole_are_not_tried_again(shell: Shell, tmp_path: Path) -> None:
    body = '{"tr_id": "' + "x" * (16 * 1024 * 1024) + '"}'
    assert shell.json("replay", write(tmp_path / "r.jsonl", [line(COMPLETE, body)]))["dead"] == 1
    (letter,) = shell.json("dead-letters", "list", "--reason", "too_large")
    assert letter["size"] == 1024 * 1024
    assert shell.json("dead-letters", "replay") == {"tried": 0, "replayed": 0, "died_again": {}, "emptied": 0}
