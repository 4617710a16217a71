"""Whether the clocks agree: those of services with this machine's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.cli.checking.check import Check, Verdict
from pipeline.stages.pair import NEAR_MS

TOLERATED_S = NEAR_MS / 1000
"""So far may two messages of one moment lie apart and still belong together."""

Clock = Callable[[], float]
"""s since the epoch."""


def moment(own: Clock) -> datetime:
    """What that clock says, in UTC."""
    return datetime.fromtimestamp(own(), UTC)


def clock(service: str, told: Callable[[], float], own: Clock = time.time, unit_s: float = 0.0) -> Check:
    """Asks a service for its time, s since the epoch, cut off to whole ``unit_s``; raises what ``told`` raises."""
    asked_at = own()
    its_time = told()
    return judged(service, its_time + unit_s / 2 - (asked_at + own()) / 2, (own() - asked_at + unit_s) / 2)


def judged(service: str, skew_s: float, uncertain_s: float) -> Check:
    """``skew_s``: how far its clock is ahead of ours, known to ± ``uncertain_s``."""
    where = "ahead of" if skew_s > 0 else "behind"
    detail = f"{abs(skew_s):.2f} s {where} this machine, to within {uncertain_s:.2f} s"
    if abs(skew_s) - uncertain_s <= TOLERATED_S:
        return Check(f"clock of {service}", Verdict.OK, detail)
    remedy = f"more than the {TOLERATED_S:.0f} s that are tolerated: let NTP set the clocks of both"
    return Check(f"clock of {service}", Verdict.WRONG, f"{detail}, {remedy}")
