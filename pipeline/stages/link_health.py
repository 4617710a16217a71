"""Is a link far below its own week? A pure rule over counts.

A link here is what people mean by it: a VO between two sites, or hosts where nothing tells the site.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from pipeline.stages.alert_rules import Verdict

LEAST_IN_HOUR = 20
"""Finished transfers of the last hour, below which nothing is said: a few failures are no trend."""
LEAST_IN_WEEK = 100
FAR_BELOW = Fraction(1, 2)
"""The share of the week's efficiency below which a link is far below it."""
WELL_AGAIN = Fraction(4, 5)
"""The share from which it is well again; between the two an alert stays as it is."""
_Z = 2.576
"""99 % of a normal distribution lie within so many standard deviations."""


class Seen(NamedTuple):
    """Finished transfers of a link: of the last hour, of the week before it, and of the last six hours in all."""

    ok: int
    failed: int
    week_ok: int
    week_failed: int
    lately: int


def subject(vo: str, src_site: str, src_host: str, dst_site: str, dst_host: str) -> str:
    """How a link is called in alerts: ``atlas CERN-PROD → GSI-LCG2``."""
    src = src_host if src_site == "unknown" else src_site
    dst = dst_host if dst_site == "unknown" else dst_site
    return f"{vo} {src} → {dst}"


def efficiency(ok: int, failed: int) -> float | None:
    """ok / (ok + failed); None without any."""
    return ok / (ok + failed) if ok + failed else None


def judge(seen: Seen) -> Verdict:
    """Far below: under half of the week's efficiency, and not by chance, with enough transfers in both.

    Well again: at 80 % of it or more, or not used for six hours.
    """
    if seen.lately == 0:
        return Verdict.CLEAR
    finished, in_week = seen.ok + seen.failed, seen.week_ok + seen.week_failed
    if finished < LEAST_IN_HOUR or in_week == 0:
        return Verdict.KEEP
    now, week = Fraction(seen.ok, finished), Fraction(seen.week_ok, in_week)
    if now >= WELL_AGAIN * week:
        return Verdict.CLEAR
    if in_week >= LEAST_IN_WEEK and now < FAR_BELOW * week and upper_bound(seen.ok, finished) < week:
        return Verdict.RAISE
    return Verdict.KEEP


def upper_bound(ok: int, finished: int) -> float:
    """The highest efficiency that is still likely (99 %) behind so many ok of so many, by Wilson's score interval."""
    share, z2 = ok / finished, _Z * _Z
    middle = share + z2 / (2 * finished)
    spread = _Z * math.sqrt(share * (1 - share) / finished + z2 / (4 * finished * finished))
    return (middle + spread) / (1 + z2 / finished)
