"""How much room is left, and for how long at the present growth, where that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.cli.checking.check import Check, Verdict
from pipeline.units import human

LITTLE = 0.1
"""Less of a disk than this is little."""


class Room(NamedTuple):
    """A disk, in bytes."""

    total: int
    free: int


class Growing(NamedTuple):
    """``per_day`` bytes come each day, until as much is dropped, after ``for_days``."""

    per_day: int
    for_days: int


def days_left(free: int, growing: Sequence[Growing]) -> int | None:
    """After how many whole days the disk is full; None when dropping begins before."""
    for day in range(1, max((each.for_days for each in growing), default=0) + 1):
        free -= sum(each.per_day for each in growing if day <= each.for_days)
        if free < 0:
            return day - 1
    return None


def judged(what: str, size: int, room: Room | None, growing: Sequence[Growing] = ()) -> Check:
    """One line about ``size`` bytes on a disk; ``room`` None: not known from here."""
    per_day = sum(each.per_day for each in growing)
    grows = f", {human(per_day, 'bytes')} more a day" if growing else ""
    told = f"{human(size, 'bytes')}{grows}"
    if room is None:
        return Check(what, Verdict.OK, f"{told}; how much room is left can be seen on its own machine alone")
    told += f", {human(room.free, 'bytes')} of {human(room.total, 'bytes')} free"
    left = days_left(room.free, growing)
    if left is not None:
        later = "before anything is old enough to be dropped"
        return Check(what, Verdict.WARNING, f"{told}: full in {left} days, {later}; add room or keep for fewer days")
    if room.free < room.total * LITTLE:
        return Check(what, Verdict.WARNING, f"{told}: that is little; add room or keep for fewer days")
    return Check(what, Verdict.OK, told)
