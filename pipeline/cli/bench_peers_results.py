"""What ``bench peers`` expects, recounted from the messages, and what came out: windows over all links."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.store.session import Connection

WINDOW_MS = 600_000
COUNTS = ("started", "ok", "failed", "aborted", "bytes", "paired")

_STATES = {"Ok": "ok", "Error": "failed"}
_OURS = """
SELECT extract(epoch FROM window_start)::bigint * 1000, sum(started), sum(ok), sum(failed), sum(aborted), sum(bytes), 0
FROM report.link_10m GROUP BY window_start
UNION ALL
SELECT extract(epoch FROM date_bin('10 minutes', ended_at, 'epoch'))::bigint * 1000, 0, 0, 0, 0, 0, count(*)
FROM report.transfer WHERE start_message_at IS NOT NULL GROUP BY 1
"""
_THEIRS = f"SELECT window_ms, {', '.join(f'sum({name})' for name in COUNTS)} FROM link_10m GROUP BY window_ms"


class Cell(NamedTuple):
    """What all links did in a window."""

    started: int = 0
    ok: int = 0
    failed: int = 0
    aborted: int = 0
    bytes: int = 0
    paired: int = 0

    def plus(self, other: Iterable[int]) -> Cell:
        """Both together."""
        return Cell(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def messages(self) -> int:
        """How many messages it tells of."""
        return self.started + self.ok + self.failed + self.aborted


Windows = Mapping[int, Cell]
"""By where a window begins, ms since the epoch."""


def windows_of(rows: Iterable[Sequence[Any]]) -> dict[int, Cell]:
    """Rows of a window's begin and COUNTS, those of a window added up; windows of nothing are left out."""
    added: dict[int, Cell] = defaultdict(Cell)
    for begin, *counts in rows:
        added[int(begin)] = added[int(begin)].plus(map(int, counts))
    return {begin: cell for begin, cell in added.items() if any(cell)}


def windows_of_store(connection: Connection) -> dict[int, Cell]:
    """What transferscope made of the messages."""
    return _asked(connection, _OURS)


def windows_of_peer(connection: Connection) -> dict[int, Cell]:
    """What a peer left in its table ``link_10m``."""
    return _asked(connection, _THEIRS)


def _asked(connection: Connection, query: str) -> dict[int, Cell]:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return windows_of(cursor.fetchall())


@dataclass
class Recount:
    """The messages so far, counted straight from their bodies: ``once``, and ``every`` time that they were told.

    FTS3's messages alone. Pairs: a complete and the start of the same file of a job whose time lies in the attempt.
    """

    messages: int = 0
    once: dict[int, Cell] = field(default_factory=lambda: defaultdict(Cell))
    every: dict[int, Cell] = field(default_factory=lambda: defaultdict(Cell))
    _seen: set[tuple[bool, str, int]] = field(default_factory=set)
    _starts: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    _completes: list[tuple[tuple[int, str], int, int]] = field(default_factory=list)

    def add(self, body: bytes) -> None:
        """Count one."""
        said = json.loads(body)
        transfer = said["file_id"], said["job_id"]
        if "transfer_id" in said:
            identity, at_ms, cell = said["transfer_id"], said["timestamp"], Cell(started=1)
        else:
            state = _STATES.get(said["t_final_transfer_state"], "aborted")
            identity, at_ms = said["tr_id"], said["tr_timestamp_complete"]
            cell = Cell(**{state: 1, "bytes": said["tr_bt_transfered"]})
        window = at_ms - at_ms % WINDOW_MS
        self.messages += 1
        self.every[window] = self.every[window].plus(cell)
        told = cell.started == 1, identity, at_ms
        if told in self._seen:
            return
        self._seen.add(told)
        self.once[window] = self.once[window].plus(cell)
        if cell.started:
            self._starts[transfer].append(at_ms)
        elif said["tr_timestamp_start"]:
            self._completes.append((transfer, said["tr_timestamp_start"], at_ms))

    def expected(self, dedupes: bool, joins: bool) -> dict[int, Cell]:
        """The windows of whoever counts a repeated message once or not, and joins or not."""
        windows = dict(self.once if dedupes else self.every)
        if joins:
            for transfer, began_ms, at_ms in self._completes:
                if any(began_ms <= start_ms <= at_ms for start_ms in self._starts[transfer]):
                    window = at_ms - at_ms % WINDOW_MS
                    windows[window] = windows[window]._replace(paired=windows[window].paired + 1)
        return windows


class Deviation(NamedTuple):
    """How a result differs from what was to come out: windows that do, and by how many messages and pairs in all."""

    windows: int
    messages: int
    pairs: int

    def told(self) -> str:
        """For people."""
        if not self.windows:
            return "exact"
        parts = [f"{self.windows} windows differ", _signed(self.messages, "messages"), _signed(self.pairs, "pairs")]
        return ", ".join(filter(None, parts))


def deviation(found: Windows, expected: Windows) -> Deviation:
    """Cell by cell."""
    differing = [begin for begin in found.keys() | expected.keys() if found.get(begin) != expected.get(begin)]
    return Deviation(
        len(differing),
        sum(cell.messages for cell in found.values()) - sum(cell.messages for cell in expected.values()),
        sum(cell.paired for cell in found.values()) - sum(cell.paired for cell in expected.values()),
    )


def _signed(number: int, of: str) -> str:
    return f"{number:+,d} {of}" if number else ""
