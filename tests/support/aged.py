"""A store that has grown old: what the oracle expects of it once a housekeeper has been there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from pipeline.store.housekeeping import Done, Housekeeper
from pipeline.store.retention import Retention
from tests.support.database import Database
from tests.support.fts_messages import MINUTE
from tests.support.oracle import Expected, Row

KEPT = Retention(30, 90, 730)


def housekeeper(database: Database, now_ms: int, kept: Retention = KEPT) -> Housekeeper:
    """One whose clock stands still."""
    return Housekeeper(database.url, kept, lambda _: now_ms)


def keep_house(database: Database, now_ms: int, kept: Retention = KEPT) -> Done:
    """Let it run until there is nothing left that somebody else held."""
    return housekeeper(database, now_ms, kept).run()


def floor_of(database: Database) -> int | None:
    """The raw floor, ms since the epoch."""
    rows = database.ask("SELECT value::bigint FROM store.setting WHERE name = 'raw_floor_ms'")
    return int(rows[0][0]) if rows else None


def partitions(database: Database, table: str) -> list[str]:
    """The suffixes of a table's partitions, by rising time."""
    rows = database.ask(
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = %s::regclass ORDER BY 1",
        [f"store.{table}"],
    )
    return [name.removeprefix(f"{table}_p") for (name,) in rows]


def kept_of(expected: Expected, raw_ms: int, base_ms: int) -> Expected:
    """What remains of an expectation: single messages from ``raw_ms`` on, base windows from ``base_ms`` on; windows of
    hours and days all, their histograms as far back as those of base windows, and all dead letters."""

    def base(widths: dict[str, dict[Any, Any]]) -> dict[str, dict[Any, Any]]:
        recent = {key: cell for key, cell in widths["10m"].items() if key.window_start_ms >= base_ms}
        return {**widths, "10m": recent}

    def without_old_histograms(widths: dict[str, dict[Any, Any]]) -> dict[str, dict[Any, Any]]:
        return {
            width: {
                key: _without_histograms(cell) if key.window_start_ms < base_ms else cell for key, cell in of.items()
            }
            for width, of in base(widths).items()
        }

    states = {key: row for key, row in expected.states.items() if key[-1] >= raw_ms}
    waits: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in states.values():
        if row["wait_ms"] is not None:
            waits[row["fts"], row["job_id"], row["file_id"]].append(row)
    return replace(
        expected,
        transfers={
            key: _without_dropped(row, raw_ms, waits[key[:3]])
            for key, row in expected.transfers.items()
            if row["ended_at"] >= raw_ms
        },
        in_flight={key: row for key, row in expected.in_flight.items() if key[-1] >= raw_ms},
        states=states,
        state_windows={key: row for key, row in expected.state_windows.items() if key[0] >= base_ms},
        links=without_old_histograms(expected.links),
        channels=without_old_histograms(expected.channels),
        endpoints=base(expected.endpoints),
        activities=base(expected.activities),
        errors={key: cell for key, cell in expected.errors.items() if key.window_start_ms >= base_ms},
        queues={key: row for key, row in expected.queues.items() if key[1] >= base_ms},
    )


def _without_histograms(cell: Row) -> Row:
    return {name: {} if name.endswith("_hist") else value for name, value in cell.items()}


def _without_dropped(row: Row, raw_ms: int, waits: list[Row]) -> Row:
    """What the row of a transfer took from messages that were dropped is not told any more; when its start was, is."""
    row = dict(row)
    if row["start_message_at"] is not None and row["start_message_at"] < raw_ms:
        row |= {"start_transfer_id": None, "start_ref": None, "agent_fqdn": None}
    if not any(row["started_at"] and row["started_at"] - MINUTE <= s["event_at"] <= row["ended_at"] for s in waits):
        row["queue_wait_ms"] = None
    return row
