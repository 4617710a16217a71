"""Dead letters once more: what can be used now is stored as it would have been on time, the rest says why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.ingest.ingest import Ingest
from pipeline.store.dead_letters import DeadLetter, DeadLetters, DiedAgain
from schemas.deadletters import REASONS


class Tried(NamedTuple):
    """What came of a batch of dead letters."""

    replayed: int
    died_again: list[DiedAgain]


def try_again(letters: DeadLetters, ingest: Ingest, ids: Sequence[int]) -> Tried:
    """Process the dead letters of these ids as if they came now, with their own headers and receipt time.

    They are marked after they are stored: a death in between makes them duplicates at the next try, no more. Raises
    Unavailable.
    """
    batch = [letter for letter in letters.load(ids) if letter.emptied_at is None]
    died = _process(ingest, batch)
    if died is None:  # Postgres refused some: one by one, to tell which
        died = [one for letter in batch for one in _process(ingest, [letter]) or ()]
    dead_ids = {one.id for one in died}
    letters.mark([letter.id for letter in batch if letter.id not in dead_ids], died)
    return Tried(len(batch) - len(died), died)


def _process(ingest: Ingest, letters: Sequence[DeadLetter]) -> list[DiedAgain] | None:
    """Those that died again; None when more than one was given and it cannot be told which."""
    ingest.refresh()
    messages = [letter.message for letter in letters]
    prepared = ingest.prepare(messages)
    result = ingest.commit(messages, prepared)
    if result.dead > len(prepared.dead):
        if len(letters) > 1:
            return None
        return [DiedAgain(letters[0].id, "store_refused", REASONS["store_refused"])]
    ids = {letter.message.identity: letter.id for letter in letters}
    return [DiedAgain(ids[dead.message.identity], dead.reason, dead.detail) for dead in prepared.dead]
