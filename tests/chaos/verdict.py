"""Whether the tables hold what was published: a recount that shares nothing with the product."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipeline.simulator import SimMessage, write_jsonl
from pipeline.store.session import connect
from pipeline.store.totals import totals
from tests.support.database import Database
from tests.support.oracle import expect
from tests.support.recounted import nowhere
from tests.support.stored import differences

_KEPT = 1000


class Verdict(NamedTuple):
    """``lost`` and ``doubled`` count messages and dead letters, ``unequal`` rows and cells; ``told`` the first."""

    messages: int
    lost: int
    doubled: int
    unequal: int
    told: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.unequal)


def judge(published: Sequence[SimMessage], recorded: Path, database_url: str) -> Verdict:
    """Write the messages to ``recorded``, recount them from there, compare."""
    write_jsonl(published, recorded)
    expected = expect(recorded, nowhere)
    with closing(connect(database_url)) as connection:
        found = differences(expected, connection)
        told = tuple(islice(found, _KEPT))
        unequal = len(told) + sum(1 for _ in found)
        stored = totals(connection).stored
    with closing(Database(database_url)) as database:
        dead = database.value("SELECT count(*) FROM report.dead_letter")
    surplus = (stored - expected.stored, dead - expected.dead)
    lost, doubled = (sum(max(0, sign * each) for each in surplus) for sign in (-1, 1))
    return Verdict(len(published), lost, doubled, unequal, told)
