"""Blocks: all windows of links that start at one instant, as columns, kept as long as nothing changes them.

A batch that adds to a window notes its end as ``changed`` in the transaction that adds, and the pass that declares it
final again notes when (``finality.py``). A block is kept with these notes, and with the revision of the topology, which
may make windows stale; it is used only while they are what a reader finds in its own snapshot. Windows that wait to be
declared final are read each time.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.columnar.keys import NOWHERE, Codes, LinkKeys
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.reports import BYTES, COUNTS, LINK_KEYS

COUNTERS = (*COUNTS, *BYTES)
Instants = npt.NDArray[np.int64]

_OPEN = np.int64(np.iinfo(np.int64).min)
"""Postgres' ``-infinity``."""
NOT_FINAL = _OPEN
"""The ``final_at`` of a window that is not."""
MOST_BYTES = 256 << 20
"""Of blocks that are kept: a month by days and two days by ten minutes of 17 000 links are 80 MB."""

MOST_TOGETHER = 24
"""Of blocks put together: a range has one an hour, of as many rows as there are links."""

_EPOCH_US = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_FIELDS = (
    ("window_start", ">i8"),
    ("link_id", ">i4"),
    *((name, ">i8") for name in COUNTERS),
    ("final_at", ">i8"),
    ("updated_at", ">i8"),
    ("stale", "?"),
)
# Binary COPY: a row is the number of its fields, and each of them its length and its bytes; all lengths are fixed here.
_ROW = np.dtype(
    [("fields", ">i2"), *(field for name, of in _FIELDS for field in ((f"length of {name}", ">i4"), (name, of)))]
)
_MOST = float(1 << 62)
_HEADER_BYTES = 19
_TRAILER_BYTES = 2
_COPY = (
    "COPY (SELECT window_start, link_id, {counters}, coalesce(final_at, '-infinity'), updated_at, stale"
    " FROM report.link_sum_{width} WHERE window_start = ANY(%s)) TO STDOUT (FORMAT binary)"
)
_PASSES = "SELECT window_end, topic, first_at, last_at, changed FROM report.window_pass WHERE window_end = ANY(%s)"

Notes = tuple[tuple[Any, ...], ...]
At = tuple[str, int]
"""A width and a start (ms)."""


class Block(NamedTuple):
    """Rows of links (their places), ``counters`` a row each of COUNTERS; instants in us since the epoch."""

    links: Codes
    counters: npt.NDArray[np.int64]
    final_at: Instants
    updated_at: Instants
    stale: npt.NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Its memory in bytes."""
        return sum(part.nbytes for part in self)

    def chosen(self, rows: npt.NDArray[np.bool_]) -> Block:
        """Some of its rows."""
        return Block(
            self.links[rows],
            self.counters[:, rows],
            self.final_at[rows],
            self.updated_at[rows],
            self.stale[rows],
        )


class Blocks:
    """Blocks by width and start. For several threads at once."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.keys = LinkKeys(LINK_KEYS)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[At, tuple[Notes, Block]] = OrderedDict()
        self._together: OrderedDict[tuple[tuple[At, Notes], ...], Block] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, cursor: Cursor, wanted: Iterable[At]) -> list[Block]:
        """The blocks of these widths and starts (ms), in their order.

        ``cursor`` must be in a transaction of one snapshot, or a block could be older than its notes.
        """
        wanted = list(wanted)
        found = self._found(cursor, wanted, _notes(cursor, wanted))
        return [found[at] for at in wanted]

    def together(self, cursor: Cursor, wanted: Iterable[At]) -> list[Block]:
        """Blocks with the same sums: those that are settled as one, which is kept, with a row a link.

        ``cursor`` as for ``get``.
        """
        wanted = list(wanted)
        notes = _notes(cursor, wanted)
        settled = tuple((at, notes[at]) for at in wanted if at in notes)
        with self._lock:
            one = self._together.get(settled)
            if one is not None:
                self._together.move_to_end(settled)
        if one is None:
            found = self._found(cursor, wanted, notes)
            one = merged([found[at] for at, _ in settled])
            if one is None:  # too large to be added up here
                return [found[at] for at in wanted]
            with self._lock:
                self._together[settled] = one
                while len(self._together) > MOST_TOGETHER:
                    self._together.popitem(last=False)
        else:
            found = self._found(cursor, [at for at in wanted if at not in notes], notes)
        return [one, *(found[at] for at in wanted if at not in notes)]

    def _found(self, cursor: Cursor, wanted: Sequence[At], notes: Mapping[At, Notes]) -> dict[At, Block]:
        found: dict[At, Block] = {}
        with self._lock:
            missing = []
            for at in wanted:
                kept = self._kept.get(at)
                if kept is not None and kept[0] == notes.get(at):
                    self._kept.move_to_end(at)
                    found[at] = kept[1]
                elif at in notes:
                    missing.append(at)
            # Under the lock: who asks for the same a moment later waits for it instead of reading it too.
            for at, block in self._read(cursor, missing).items():
                self._keep(at, notes[at], block)
                found[at] = block
        return found | self._read(cursor, [at for at in wanted if at not in found])

    def _keep(self, at: At, notes: Notes, block: Block) -> None:
        before = self._kept.pop(at, None)
        self._bytes += block.size - (before[1].size if before else 0)
        self._kept[at] = notes, block
        while self._bytes > self._most_bytes:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._bytes -= oldest.size

    def _read(self, cursor: Cursor, wanted: Sequence[At]) -> dict[At, Block]:
        by_width: dict[str, list[int]] = {}
        for width, start_ms in wanted:
            by_width.setdefault(width, []).append(start_ms)
        found = {}
        for width, starts in by_width.items():
            rows = _copied(cursor, width, starts)
            places = self.keys.places(cursor, rows["link_id"].astype(np.int64))
            order = np.argsort(rows["window_start"], kind="stable")
            order = order[places[order] != NOWHERE]
            rows, places = rows[order], places[order]
            at_us = rows["window_start"].astype(np.int64) + _EPOCH_US
            for start_ms in starts:
                begin, end = np.searchsorted(at_us, (start_ms * 1000, start_ms * 1000 + 1)).tolist()
                found[width, start_ms] = _block(rows[begin:end], places[begin:end])
        return found


def merged(blocks: Sequence[Block]) -> Block | None:
    """One block with a row for each link of these; None when a sum may not fit into 64 bits."""
    rows = one_after_another(blocks)
    if not fits(rows.counters):
        return None
    links, group = np.unique(rows.links, return_inverse=True)
    return added(rows, group, links)


def one_after_another(blocks: Sequence[Block]) -> Block:
    """The rows of all blocks."""
    if not blocks:
        none = np.empty(0, np.int64)
        return Block(np.empty(0, np.int32), np.empty((len(COUNTERS), 0), np.int64), none, none, np.empty(0, np.bool_))
    links, counters, final_at, updated_at, stale = zip(*blocks, strict=True)
    return Block(
        np.concatenate(links),
        np.concatenate(counters, axis=1),
        np.concatenate(final_at),
        np.concatenate(updated_at),
        np.concatenate(stale),
    )


def added(rows: Block, group: npt.NDArray[np.intp], links: Codes) -> Block:
    """Rows added up by their ``group``, the place of one of ``links``: a group is final when all its rows are."""
    counters = np.zeros((len(COUNTERS), len(links)), np.int64)
    for total, column in zip(counters, rows.counters, strict=True):
        np.add.at(total, group, column)
    first, last = np.full(len(links), np.iinfo(np.int64).max), np.full(len(links), NOT_FINAL)
    np.minimum.at(first, group, rows.final_at)
    np.maximum.at(last, group, rows.final_at)
    newest = np.full(len(links), NOT_FINAL)
    np.maximum.at(newest, group, rows.updated_at)
    stale = np.zeros(len(links), np.bool_)
    stale[group[rows.stale]] = True
    return Block(links, counters, np.where(first == NOT_FINAL, NOT_FINAL, last), newest, stale)


def fits(counters: npt.NDArray[np.int64]) -> bool:
    """Whether sums of these rows fit into 64 bits, whatever is added up."""
    return bool(np.abs(counters).astype(np.float64).sum(axis=1).max(initial=0) <= _MOST)


def _notes(cursor: Cursor, wanted: Sequence[At]) -> dict[At, Notes]:
    """What is noted of the ends of those windows that are final."""
    ends = {at: at[1] + WIDTHS_MS[at[0]] for at in wanted}
    cursor.execute("SELECT max(revision) FROM report.topology")
    ((revision,),) = cursor.fetchall()
    cursor.execute(_PASSES, ([to_datetime(end_ms) for end_ms in sorted(set(ends.values()))],))
    noted: dict[int, list[tuple[Any, ...]]] = {}
    for end, *note in cursor.fetchall():
        noted.setdefault(int(end.timestamp()) * 1000, []).append(tuple(note))
    final = {
        end_ms: (*sorted(each, key=lambda note: str(note[0])), (revision,))
        for end_ms, each in noted.items()
        if not any(changed for *_, changed in each)
    }
    return {at: final[end_ms] for at, end_ms in ends.items() if end_ms in final}


def _copied(cursor: Cursor, width: str, starts: Sequence[int]) -> npt.NDArray[Any]:
    statement = cursor.mogrify(
        _COPY.format(counters=", ".join(COUNTERS), width=width), ([to_datetime(start_ms) for start_ms in starts],)
    )
    received = io.BytesIO()
    cursor.copy_expert(statement, received)
    with received.getbuffer() as content:
        count, over = divmod(len(content) - _HEADER_BYTES - _TRAILER_BYTES, _ROW.itemsize)
        if over:
            raise AssertionError(f"a row of link_sum_{width} is not of {_ROW.itemsize} bytes: a column holds NULL")
        return np.frombuffer(content, _ROW, count, _HEADER_BYTES).copy()


def _block(rows: npt.NDArray[Any], places: Codes) -> Block:
    counters = np.empty((len(COUNTERS), len(rows)), np.int64)
    for number, name in enumerate(COUNTERS):
        counters[number] = rows[name]
    final_at = rows["final_at"].astype(np.int64)
    return Block(
        places.copy(),
        counters,
        np.where(final_at == _OPEN, NOT_FINAL, final_at + _EPOCH_US),
        rows["updated_at"].astype(np.int64) + _EPOCH_US,
        rows["stale"].copy(),
    )
