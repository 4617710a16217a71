"""Rough traffic, simulated with much of everything that goes wrong, and whether the tables hold what it must give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random

from pipeline.simulator import Mix, SimMessage, simulate, write_jsonl
from pipeline.store.session import connect
from tests.support.fts_messages import RECENT
from tests.support.oracle import expect
from tests.support.oracle_windows import Lookup, Site
from tests.support.stored import differences

ROUGH = Mix(
    fts2=0.1,
    monit=0.05,
    duplicate=0.05,
    late=0.05,
    missing_start=0.1,
    missing_complete=0.1,
    poison=0.02,
)
_SHOWN = 20


def rough_traffic(messages: int, seed: int) -> list[SimMessage]:
    """An hour of recent traffic, shuffled as a whole: a start comes as often after its complete as before it."""
    traffic = list(simulate(messages, seed, RECENT, mix=ROUGH))
    Random(seed).shuffle(traffic)
    return traffic


def nowhere(host: str, at_ms: int) -> Site:
    """A store without a topology knows no site."""
    return "unknown", "unknown"


def assert_recounted(
    messages: Iterable[SimMessage], folder: Path, database_url: str, lookup: Lookup = nowhere, note: str = ""
) -> None:
    """The tables hold what these messages must give. They are recorded in ``folder`` for that, as published."""
    recorded = folder / "published.jsonl"
    write_jsonl(messages, recorded)
    assert_holds(recorded, database_url, lookup, note)


def assert_holds(recorded: Path | Sequence[Path], database_url: str, lookup: Lookup = nowhere, note: str = "") -> None:
    """The tables hold what the recount of these files expects, cell by cell; else the first differences are told, and
    ``note`` (the seeds)."""
    with closing(connect(database_url)) as connection:
        found = differences(expect(recorded, lookup), connection)
        shown = list(islice(found, _SHOWN))
        more = sum(1 for _ in found)
    assert not shown, "\n".join([f"{len(shown) + more} differences ({note}):", *shown])
