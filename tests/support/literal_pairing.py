"""The pairing rule of semantics.md, sentence by sentence, at any price; shares no line with the product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Protocol

from pipeline.stages.decode import decode
from schemas.envelope import RawMessage
from schemas.events import Complete, Start
from schemas.rules import Horizon

MINUTE = 60_000
Row = tuple[int, int]


class AnyStart(Protocol):
    """A start, as far as the rule speaks of it."""

    @property
    def event_ms(self) -> int: ...
    @property
    def fts(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def transfer_id(self) -> str: ...


class AnyComplete(AnyStart, Protocol):
    """A complete, as far as the rule speaks of it."""

    @property
    def started_ms(self) -> int | None: ...
    @property
    def state(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def never_pairs(self) -> bool: ...


def pair_indices(starts: Sequence[AnyStart], completes: Sequence[AnyComplete]) -> set[tuple[int, int]]:
    """The pairs among the distinct messages of one key, as positions in the two lists."""
    pairs: set[tuple[int, int]] = set()
    free_starts = set(range(len(starts)))
    free_completes = {c for c in range(len(completes)) if not completes[c].never_pairs}

    def take(s: int, c: int) -> None:
        pairs.add((s, c))
        free_starts.remove(s)
        free_completes.remove(c)

    # (1) of all pairs with |start's timestamp - complete's tr_timestamp_start| <= 60 s, take them by rising (distance,
    # complete's dedupe key, start's dedupe key), each message once
    while True:
        near = []
        for s, c in product(free_starts, free_completes):
            begun = completes[c].started_ms
            if begun is not None and abs(starts[s].event_ms - begun) <= MINUTE and agree(starts[s], completes[c]):
                distance = abs(starts[s].event_ms - begun)
                near.append((distance, dedupe_of_complete(completes[c]), dedupe_of_start(starts[s]), s, c))
        if not near:
            break
        take(*min(near)[-2:])
    # (2) each complete left, by rising (event time, dedupe key), takes the latest start left that is not after it and,
    # if it has a tr_timestamp_start, not more than 60 s before that
    for c in sorted(free_completes, key=lambda c: (completes[c].event_ms, dedupe_of_complete(completes[c]))):
        ended = completes[c]
        fitting = [
            (-starts[s].event_ms, dedupe_of_start(starts[s]), s)
            for s in free_starts
            if starts[s].event_ms <= ended.event_ms
            and (ended.started_ms is None or starts[s].event_ms >= ended.started_ms - MINUTE)
            and agree(starts[s], ended)
        ]
        if fitting:
            take(min(fitting)[-1], c)
    return pairs


def dedupe_of_start(start: AnyStart) -> tuple[str, str, str, int]:
    """(instance, id, agent, timestamp)."""
    return (start.fts, start.transfer_id, start.agent, start.event_ms)


def dedupe_of_complete(complete: AnyComplete) -> tuple[str, str, int, str, int]:
    """(instance, id, event time, final state, bytes)."""
    return (complete.fts, complete.transfer_id, complete.event_ms, complete.state, complete.bytes)


def agree(start: AnyStart, complete: AnyComplete) -> bool:
    """Whether they agree on each of FTS instance and agent that both carry."""
    who = ((start.fts, complete.fts), (start.agent, complete.agent))
    return all(one == other for one, other in who if one and other)


def pairs_by_the_rule(messages: Iterable[RawMessage]) -> tuple[set[tuple[Row, Row]], set[Row]]:
    """The pairs of all keys, and the starts left over; rows are (event time, dedupe hash)."""
    decoded = decode(messages, Horizon())
    starts: dict[int, dict[Row, Start]] = defaultdict(dict)
    completes: dict[int, dict[Row, Complete]] = defaultdict(dict)
    for start in decoded.starts:
        starts[start.key_hash][start.event_ms, start.dedupe] = start
    for complete in decoded.completes:
        completes[complete.key_hash][complete.event_ms, complete.dedupe] = complete
    pairs: set[tuple[Row, Row]] = set()
    for key, by_row in starts.items():
        start_rows, complete_rows = list(by_row), list(completes[key])
        for s, c in pair_indices(list(by_row.values()), list(completes[key].values())):
            pairs.add((start_rows[s], complete_rows[c]))
    return pairs, {row for rows in starts.values() for row in rows} - {start for start, _ in pairs}
