"""Which start belongs to which complete: a function of the set of a key's messages, whatever the order of arrival.

1. Of all pairs with |start's time - complete's start time| <= 60 s, the nearest first, each message once; ties by
   the complete's dedupe key, then the start's.
2. Each complete left, by rising (event time, dedupe key), takes the latest start left that is not after it and not
   more than 60 s before its start time, if it has one. Of starts at one instant, the smallest dedupe key.

A start and a complete pair only if they agree on each of FTS instance and agent that both carry. A complete that was
cancelled before its start never pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

NEAR_MS = 60_000


class StartLike(Protocol):
    """What pairing needs of a start."""

    @property
    def event_ms(self) -> int: ...
    @property
    def fts(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def transfer_id(self) -> str: ...


class CompleteLike(Protocol):
    """What pairing needs of a complete."""

    @property
    def event_ms(self) -> int: ...
    @property
    def fts(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def transfer_id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def started_ms(self) -> int | None: ...
    @property
    def never_pairs(self) -> bool: ...


S = TypeVar("S", bound=StartLike)
C = TypeVar("C", bound=CompleteLike)


def pair(starts: Sequence[S], completes: Sequence[C]) -> list[tuple[S, C]]:
    """The pairs among the distinct starts and completes of one transfer key."""
    if len(starts) == 1 and len(completes) == 1:
        start, complete = starts[0], completes[0]
        return [(start, complete)] if _may_pair(start, complete) else []
    free_completes = sorted((c for c in completes if not c.never_pairs), key=_complete_order)
    free_starts = sorted(starts, key=_start_order)
    pairs: list[tuple[S, C]] = []
    # Both lists lie in dedupe-key order, so their indices break ties as the rule wants it.
    near = [
        (abs(start.event_ms - complete.started_ms), c, s)
        for c, complete in enumerate(free_completes)
        if complete.started_ms is not None
        for s, start in enumerate(free_starts)
        if abs(start.event_ms - complete.started_ms) <= NEAR_MS and _agree(start, complete)
    ]
    taken_completes: set[int] = set()
    taken_starts: set[int] = set()
    for _, c, s in sorted(near):
        if c not in taken_completes and s not in taken_starts:
            taken_completes.add(c)
            taken_starts.add(s)
            pairs.append((free_starts[s], free_completes[c]))
    by_time = sorted(
        (c for c in range(len(free_completes)) if c not in taken_completes),
        key=lambda c: (free_completes[c].event_ms, c),
    )
    for c in by_time:
        complete = free_completes[c]
        usable = [s for s in range(len(free_starts)) if s not in taken_starts and _may_follow(free_starts[s], complete)]
        if usable:
            chosen = max(usable, key=lambda s: (free_starts[s].event_ms, -s))
            taken_starts.add(chosen)
            pairs.append((free_starts[chosen], complete))
    return pairs


def _start_order(start: StartLike) -> tuple[str, str, str, int]:
    return (start.fts, start.transfer_id, start.agent, start.event_ms)


def _complete_order(complete: CompleteLike) -> tuple[str, str, int, str, int]:
    return (complete.fts, complete.transfer_id, complete.event_ms, complete.state, complete.bytes)


def _agree(start: StartLike, complete: CompleteLike) -> bool:
    return (start.fts == complete.fts or not start.fts or not complete.fts) and (
        start.agent == complete.agent or not start.agent or not complete.agent
    )


def _may_follow(start: StartLike, complete: CompleteLike) -> bool:
    begin = complete.started_ms
    return (
        start.event_ms <= complete.event_ms
        and (begin is None or start.event_ms >= begin - NEAR_MS)
        and _agree(start, complete)
    )


def _may_pair(start: StartLike, complete: CompleteLike) -> bool:
    if complete.never_pairs:
        return False
    if _may_follow(start, complete):
        return True
    begin = complete.started_ms
    return begin is not None and abs(start.event_ms - begin) <= NEAR_MS and _agree(start, complete)
