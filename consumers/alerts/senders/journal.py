"""The log as a channel: one line an alert, which whoever reads logs can act on."""

from __future__ import annotations

import logging
from datetime import datetime

from pipeline.stages.alert_notices import News, Policy, plain

log = logging.getLogger(__name__)


class Journal:
    """Writes everything at once, and what stays open again after a while."""

    name = "log"

    def __init__(self, repeat_s: float) -> None:
        self.policy = Policy(repeat_s, within_s=0.0)

    def send(self, news: News, at: datetime) -> None:
        for notices, word in ((news.raised, "raised"), (news.lasting, "still open"), (news.cleared, "resolved")):
            for each in notices:
                log.warning("alert %d %s: %s", each.id, word, plain(f"{each.rule}, {each.subject}: {each.detail}"))
