"""How ``bench peers`` tells its rounds: medians, ratios within a round, and how much of the job each contender does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from pipeline.cli.bench_peers_run import Outcome
from pipeline.cli.bench_report import Figure, Table
from pipeline.store.queries.columns import Column

_MEASURED = (
    Column("contender", "text"),
    Column("processes", "count"),
    Column("messages", "count"),
    Column("messages/s", "count"),
    Column("least", "count"),
    Column("most", "count"),
    Column("µs of CPU", "count"),
    Column("MB of one", "count"),
    Column("result", "text"),
)
_WORK = (
    Column("contender", "text"),
    Column("late rows count", "text"),
    Column("repeats known", "text"),
    Column("start joined to end", "text"),
    Column("in PostgreSQL", "text"),
    Column("leaves out", "text"),
)


class Contender(NamedTuple):
    """Who takes part, and how much of the job it does. ``goal``: how many times as fast OURS has to be, if any."""

    title: str
    processes: int
    messages: int
    late: bool
    dedupes: bool
    joins: bool
    stores: bool
    leaves_out: str
    goal: float | None = None


Rounds = Sequence[Mapping[str, Outcome]]
"""What each contender did, by title, in each round."""


def tables(contenders: Sequence[Contender], rounds: Rounds) -> dict[str, Table]:
    """What was measured, and what of the job was done."""
    measured, work = [], []
    for each in contenders:
        outcomes = [outcomes[each.title] for outcomes in rounds]
        rates = [outcome.rate for outcome in outcomes]
        measured.append(
            (
                each.title,
                each.processes,
                each.messages,
                round(median(rates)),
                round(min(rates)),
                round(max(rates)),
                round(median(outcome.cpu_us for outcome in outcomes)),
                round(max(outcome.memory_mb for outcome in outcomes)),
                _worst(outcomes),
            )
        )
        does = [_yes(done) for done in (each.late, each.dedupes, each.joins, each.stores)]
        work.append((each.title, *does, each.leaves_out))
    return {"measured": Table(_MEASURED, measured), "work": Table(_WORK, work)}


def ratios(ours: Sequence[Contender], peers: Sequence[Contender], rounds: Rounds) -> Iterator[Figure]:
    """How many times as fast as each peer each of ours is: the median of the rounds' ratios. The last of ours has the
    peer's goal."""
    for peer in peers:
        for mine in ours:
            found = median(outcomes[mine.title].rate / outcomes[peer.title].rate for outcomes in rounds)
            goal = peer.goal if mine is ours[-1] else None
            yield Figure(f"{mine.title} to {peer.title}", found, "times as fast", goal=goal)


def _worst(outcomes: Sequence[Outcome]) -> str:
    """The result that is furthest from what was to come out."""
    return max((outcome.deviation for outcome in outcomes), key=lambda found: found.windows).told()


def _yes(done: bool) -> str:
    return "yes" if done else "no"
