"""Every rule that raises alerts: its name, what it says with the limits in force, what it found.

A rule is a pure function over what was measured: RAISE, CLEAR or KEEP. Who raises twice changes nothing, so a rule says
RAISE as long as it is wrong, and an alert between its two edges stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Literal, NamedTuple

BACKLOG = "backlog"
OLDEST = "oldest-message"
NO_CONSUMER = "no-consumer"
ORPHAN = "orphan-queue"
EXPIRED = "expired"
BROKER_DEAD = "broker-dead-letters"
DEAD_LETTERS = "dead-letters"
SILENT = "silent-source"
TOPOLOGY = "topology-age"
LINK_HEALTH = "link-health"

SAMPLES = 2
"""So many samples in a row must be wrong: one of them may be a moment."""
CLEAR_BELOW = Fraction(4, 5)
"""The share of a limit below which it is well again; between the two an alert stays as it is."""
QUIET_S = 1800.0
"""A count that must not rise is well again when it has not risen for so long."""
ORPHAN_S = 600.0
"""A queue is an orphan when nobody has read it for so long and it has grown meanwhile."""
DEAD_LETTERS_S = 3600.0
"""The time in which dead letters are counted."""

Severity = Literal["critical", "warning"]
"""critical: messages are being lost, or soon will be; warning: for the next working day."""


class Verdict(Enum):
    """What follows from what was measured."""

    RAISE = "raise"
    CLEAR = "clear"
    KEEP = "keep"


class Finding(NamedTuple):
    """What a rule found wrong. ``value`` and ``threshold`` are in the unit of the rule; ``detail`` is a sentence."""

    rule: str
    subject: str
    value: float
    threshold: float
    detail: str


class Judged(NamedTuple):
    """What a rule says of a subject; the finding counts where the verdict is RAISE."""

    verdict: Verdict
    finding: Finding


Limited = tuple[tuple[str, int], ...]
"""Limits by name, ``*`` for any letters; the first that fits counts."""


class Limits(NamedTuple):
    """The thresholds in force. ``queues`` (messages) and ``sources`` (s) say it by name. 0 s: not watched."""

    backlog: int = 5000
    queues: Limited = ()
    oldest_s: int = 3600
    silent_s: int = 3600
    sources: Limited = ()
    topology_s: int = 48 * 3600
    dead_letters: int = 100

    def backlog_of(self, name: str) -> int:
        """How many messages may wait in the queue or group of that name."""
        return _limit(self.queues, name, self.backlog)

    def silent_of(self, source: str) -> int:
        """For how many seconds that source may be silent; 0: for ever."""
        return _limit(self.sources, source, self.silent_s)


def _limit(limited: Limited, name: str, otherwise: int) -> int:
    return next((limit for pattern, limit in limited if fnmatchcase(name, pattern)), otherwise)


class Rule(NamedTuple):
    """``unit`` is that of value and threshold; ``sentence`` says when it raises and clears, with the limits."""

    name: str
    severity: Severity
    unit: str
    sentence: Callable[[Limits], str]


RULES: tuple[Rule, ...] = (
    Rule(
        BACKLOG,
        "critical",
        "messages",
        lambda limits: (
            f"More than {limits.backlog} messages wait in a queue of ours or for a consumer group of Kafka, in"
            f" {SAMPLES} samples in a row{_by_name(limits.queues, 'messages')}."
            f" Cleared below {float(CLEAR_BELOW):.0%} of that."
        ),
    ),
    Rule(
        OLDEST,
        "critical",
        "s",
        lambda limits: (
            f"The oldest message of a queue of ours is older than {_time(limits.oldest_s)}, in {SAMPLES} samples in a"
            f" row. Cleared below {float(CLEAR_BELOW):.0%} of that, or when the queue is empty."
        ),
    ),
    Rule(
        NO_CONSUMER,
        "critical",
        "consumers",
        lambda limits: (
            f"Messages wait in a queue of ours, or for the workers, and nobody reads, in {SAMPLES} samples in a row."
            " Cleared when somebody does, or when it is empty."
        ),
    ),
    Rule(
        ORPHAN,
        "warning",
        "messages",
        lambda limits: (
            f"A virtual queue or consumer group of somebody else has had no consumer for {_time(ORPHAN_S)} and has"
            " grown: what waits there is for nobody. Cleared when it has a consumer, is empty, or is gone."
        ),
    ),
    Rule(
        EXPIRED,
        "critical",
        "messages",
        lambda limits: (
            f"Messages of a queue of ours expired unread: they are lost. Cleared when none has for {_time(QUIET_S)}."
        ),
    ),
    Rule(
        BROKER_DEAD,
        "warning",
        "messages",
        lambda limits: (
            "The dead letter queue of a broker grows. Everybody on that broker shares it. Cleared when it has not grown"
            f" for {_time(QUIET_S)}."
        ),
    ),
    Rule(
        DEAD_LETTERS,
        "warning",
        "messages",
        lambda limits: (
            f"More than {limits.dead_letters} messages could not be used for one reason within {_time(DEAD_LETTERS_S)}."
            f" Cleared below {float(CLEAR_BELOW):.0%} of that."
        ),
    ),
    Rule(
        SILENT,
        "warning",
        "s",
        lambda limits: (
            f"Nothing was received of a source for {_time(limits.silent_s)}{_by_name(limits.sources, 's')}; 0 s: not"
            " watched. Cleared when it is heard again."
        ),
    ),
    Rule(
        TOPOLOGY,
        "warning",
        "s",
        lambda limits: (
            f"The topology in use was not confirmed by a load for {_time(limits.topology_s)} (0 s: not watched)."
            " Cleared by the next load."
        ),
    ),
    Rule(
        LINK_HEALTH,
        "warning",
        "efficiency",
        lambda limits: (
            "The efficiency of a link in the last hour is under half of that of its week, with 20 transfers or more,"
            " and that is not chance. Cleared at 80 % of the week's, or when it was not used for 6 h."
        ),
    ),
)

SEVERITIES: dict[str, Severity] = {rule.name: rule.severity for rule in RULES}


def above(values: Sequence[float | None], limit: float) -> Verdict:
    """RAISE: all of the last ``SAMPLES`` values, newest first, are above the limit. CLEAR: the newest is well below it.

    None is a value that nobody knows, and tells nothing.
    """
    newest = values[0] if values else None
    if newest is None:
        return Verdict.KEEP
    if newest < CLEAR_BELOW * Fraction(limit):
        return Verdict.CLEAR
    last = values[:SAMPLES]
    is_wrong = len(last) == SAMPLES and all(value is not None and value > limit for value in last)
    return Verdict.RAISE if is_wrong else Verdict.KEEP


def _time(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _by_name(limited: Limited, unit: str) -> str:
    return f" ({', '.join(f'{name}: {limit} {unit}' for name, limit in limited)})" if limited else ""
