"""What is wrong with what the store has heard? Pure rules over ages and counts."""

from __future__ import annotations

from pipeline.stages.alert_rules import (
    CLEAR_BELOW,
    DEAD_LETTERS,
    SILENT,
    TOPOLOGY,
    Finding,
    Judged,
    Limits,
    Verdict,
)

DEAD_LETTERS_OF = "dead letters "
"""What the subject of dead letters begins with; the reason follows."""


def judge_source(source: str, silent_s: float, limits: Limits) -> Judged:
    """Was nothing received of this source for too long?"""
    limit = limits.silent_of(source)
    detail = f"nothing was received for {silent_s / 60:.0f} min"
    return Judged(_too_old(silent_s, limit), Finding(SILENT, f"source {source}", silent_s, limit, detail))


def judge_topology(age_s: float, limits: Limits) -> Judged:
    """Was the topology in use not confirmed for too long?"""
    limit = limits.topology_s
    detail = f"no load has confirmed it for {age_s / 3600:.0f} h: new hosts are of unknown sites"
    return Judged(_too_old(age_s, limit), Finding(TOPOLOGY, "topology in use", age_s, limit, detail))


def judge_dead_letters(reason: str, number: int, limits: Limits) -> Judged:
    """Did too many messages die lately for this reason?"""
    limit = limits.dead_letters
    verdict = Verdict.KEEP
    if number > limit:
        verdict = Verdict.RAISE
    elif number < CLEAR_BELOW * limit:
        verdict = Verdict.CLEAR
    detail = f"{number} messages could not be used within the last hour: transferscope dead-letters list"
    return Judged(verdict, Finding(DEAD_LETTERS, f"{DEAD_LETTERS_OF}{reason}", number, limit, detail))


def _too_old(age_s: float, limit_s: int) -> Verdict:
    """An age falls to nothing by itself when it is well again, so one limit is enough. 0: not watched."""
    return Verdict.RAISE if limit_s and age_s > limit_s else Verdict.CLEAR
