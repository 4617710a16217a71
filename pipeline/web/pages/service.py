"""The service itself: is the chain behind, what is wrong, and can the numbers be trusted?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field

from pipeline.stages.alert_rules import RULES, Limits
from pipeline.stages.backlog import KNOWN_FOR_S
from pipeline.store.queries.depths import depths
from pipeline.store.queries.health import rules_judged_at
from pipeline.store.queries.quality import SECTIONS
from pipeline.store.silences import LONGEST, silences
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.filters import HOUR_MS
from pipeline.web.pages.axis import from_datetime
from pipeline.web.pages.figures import Pictured
from pipeline.web.pages.frame import Frame
from pipeline.web.pages.lines import plot
from pipeline.web.parameters import AlertParameters, QualityParameters, QueueParameters, Several, Timed

MOST_QUEUES = 1000
MOST_DRAWN = 8
MOST_ALERTS = 500
MOST_ROWS = 30
_STEP_MS = {"10m": 600_000, "1h": HOUR_MS, "1d": 24 * HOUR_MS}
FULL = ("sources", "verify", "topology", "join", "mapping", "hosts", "dead", "finality")
"""Sections of quality in the order of the page."""


class QueuePage(Pictured, Timed):
    """The page of queues."""


class AlertPage(Timed):
    """The page of alerts."""

    from_: str = Field("now-7d", alias="from")
    open: bool = False
    rule: Several = Field([])
    subject: Several = Field([])
    silence: int | None = Field(None, description="The id of an open alert that the form of silences begins with.")


def queues(context: Context, frame: Frame, asked: QueuePage, limit: int) -> dict[str, Any]:
    """How what waits stands, and how deep the deepest were; ``limit`` is where a queue is behind."""
    range_ = {"from": str(frame.span.from_ms), "to": str(frame.span.to_ms)}
    table = asks.queues(context, QueueParameters.model_validate({**range_, "limit": MOST_QUEUES}))
    rows = list(table.records())
    span, step_ms = frame.span, _STEP_MS[frame.span.width]
    series: dict[tuple[str, str, str], dict[int, float | None]] = {}
    for each in depths(context.connection, span.from_ms, span.to_ms, step_ms):
        series.setdefault((each.kind, each.broker, each.name), {})[from_datetime(each.start)] = each.depth
    deepest = sorted(series.items(), key=lambda each: (-max(value or 0 for value in each[1].values()), each[0]))
    drawn = {f"{name} at {broker}": values for (_, broker, name), values in deepest[:MOST_DRAWN]}
    picture = None
    if drawn:
        picture = plot(drawn, span, step_ms, kind="count", now_ms=context.now_ms, limit=limit, hidden=asked.hidden)
    return {
        "rows": rows,
        "limit": limit,
        "plot": picture,
        "left_out": len(series) - len(drawn),
        "range": range_,
    }


def alerts(context: Context, asked: AlertPage, limits: Limits) -> dict[str, Any]:
    """Open alerts, whenever they were raised, those of the range, the rules, and when these were last judged; silences
    that hold, if the caller may see them."""
    chosen = {"rule": asked.rule, "subject": asked.subject, "limit": MOST_ALERTS}
    range_ = {"from": asked.from_, "to": asked.to}
    unclear = asks.alerts(context, AlertParameters.model_validate({**range_, **chosen, "open": True}))
    raised = None
    if not asked.open:
        raised = asks.alerts(context, AlertParameters.model_validate({**range_, **chosen}))
    held = list(unclear.records())
    judged_at = rules_judged_at(context.connection)
    return {
        "judged_at": judged_at,
        "is_watched": judged_at is not None and context.now_ms - from_datetime(judged_at) < KNOWN_FOR_S * 1000,
        "rules": [(rule.name, rule.severity, rule.sentence(limits)) for rule in RULES],
        "unclear": held,
        "silences": silences(context.connection) if context.sees_silences else None,
        "to_silence": next((row for row in held if row["id"] == asked.silence), None),
        "longest_hours": LONGEST // timedelta(hours=1),
        "raised": None if raised is None else [row for row in raised.records() if row["cleared_at"] is not None],
        "more": raised is not None and raised.next_cursor is not None,
    }


def quality(context: Context, asked: Timed) -> dict[str, Any]:
    """Every section of quality."""
    found = {}
    for name in FULL:
        question = QualityParameters.model_validate({"from": asked.from_, "to": asked.to, "section": name})
        found[name] = asks.quality(context, question)
    assert set(found) == set(SECTIONS)
    newest = {name: next(found[name].records(), None) for name in ("verify", "topology")}
    return {"sections": found, "most": MOST_ROWS, "verified": newest["verify"], "topology": newest["topology"]}
