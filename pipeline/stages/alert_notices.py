"""What is told of alerts, when, and in which words: pure rules of notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.stages.alert_rules import SEVERITIES, Severity

MOST_LISTED = 50
"""So many alerts of a kind are told one by one; of more the number."""
_SPREAD = 0.9
"""Alerts whose time to be told again is nearly there are told along with one whose time it is."""


class Notice(NamedTuple):
    """An alert as somebody is told of it. ``told_at``: when that was done last; None: never."""

    id: int
    rule: str
    subject: str
    raised_at: datetime
    cleared_at: datetime | None
    value: float
    threshold: float
    detail: str
    told_at: datetime | None

    @property
    def severity(self) -> Severity:
        return SEVERITIES.get(self.rule, "warning")


class Policy(NamedTuple):
    """How often somebody is told. What is new is told at once, unless ``prompt`` messages went out within ``within_s``:
    then everything waits, and goes in one message, until ``pause_s`` after the last. What stays wrong is told again
    after ``repeat_s``."""

    repeat_s: float
    prompt: int = 6
    within_s: float = 600.0
    pause_s: float = 300.0


class News(NamedTuple):
    """One message: alerts that were raised, that are still open and told again, and that were cleared."""

    raised: tuple[Notice, ...]
    lasting: tuple[Notice, ...]
    cleared: tuple[Notice, ...]

    @property
    def is_urgent(self) -> bool:
        return any(notice.severity == "critical" for notice in (*self.raised, *self.lasting))


def news(open_: Sequence[Notice], cleared: Sequence[Notice], policy: Policy, now: datetime) -> News | None:
    """What there is to tell of the open alerts, and of the cleared ones that somebody was told of; None: nothing."""
    raised = tuple(each for each in open_ if each.told_at is None)
    silence = [(now - each.told_at, each) for each in open_ if each.told_at is not None]
    due = any(passed >= timedelta(seconds=policy.repeat_s) for passed, _ in silence)
    nearly = timedelta(seconds=policy.repeat_s * _SPREAD)
    lasting = tuple(each for passed, each in silence if due and passed >= nearly)
    return News(raised, lasting, tuple(cleared)) if raised or lasting or cleared else None


def may_tell(sent: Sequence[datetime], policy: Policy, now: datetime) -> bool:
    """Whether a message may go out now, after those that were sent at these times."""
    lately = [at for at in sent if now - at < timedelta(seconds=policy.within_s)]
    return len(lately) < policy.prompt or now - max(lately) >= timedelta(seconds=policy.pause_s)


def headline(found: News) -> str:
    """One line: ``3 alerts: backlog on …``, ``200 alerts (198 backlog, 2 expired)``, ``2 resolved``."""
    parts = []
    for notices, word in ((found.raised, "alert"), (found.lasting, "still open"), (found.cleared, "resolved")):
        if notices:
            parts.append(f"{word}: {_what(notices)}")
    return plain("; ".join(parts))


def body(found: News, page: str = "") -> str:
    """The message: every alert with subject, detail and times; ``page`` is where the rest can be seen."""
    lines: list[str] = []
    for notices, head in ((found.raised, "Raised"), (found.lasting, "Still open"), (found.cleared, "Resolved")):
        if not notices:
            continue
        lines += [f"{head}: {len(notices)}", ""]
        for each in notices[:MOST_LISTED]:
            ended = f", cleared {_moment(each.cleared_at)}" if each.cleared_at else ""
            lines.append(plain(f"[{each.severity}] {each.rule}: {each.subject}"))
            lines.append(plain(f"    {each.detail}"))
            lines.append(f"    raised {_moment(each.raised_at)}{ended}")
        if len(notices) > MOST_LISTED:
            lines.append(f"and {len(notices) - MOST_LISTED} more")
        lines.append("")
    return "\n".join([*lines, f"All of them: {page}"] if page else lines)


def plain(text: str) -> str:
    """The text on one line, without characters that move a cursor or turn the order of letters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _what(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return f"{notices[0].rule}, {notices[0].subject}"
    counts: dict[str, int] = {}
    for each in notices:
        counts[each.rule] = counts.get(each.rule, 0) + 1
    return ", ".join(f"{number} {rule}" for rule, number in sorted(counts.items(), key=lambda each: -each[1]))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
