"""Samples and what the store has heard are judged: alerts are raised and cleared."""

from __future__ import annotations

from datetime import datetime

from consumers.alerts.sample import Answer
from pipeline.stages.alert_rules import Limits
from pipeline.store.alerts import Changes
from pipeline.store.backlog import record


class Rules:
    """Remembers nothing: what came before is in the store, and so are open alerts."""

    def __init__(self, database_url: str, limits: Limits) -> None:
        self._url = database_url
        self._limits = limits

    def look(self, answer: Answer, at: datetime) -> Changes:
        """Keep the samples as those of that time and judge. Raises Unavailable when they cannot be kept."""
        return record(self._url, answer.samples, at, self._limits, answer.told)
