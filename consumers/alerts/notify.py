"""One channel over which people are told of alerts: what goes wrong with it keeps nothing and nobody else waiting."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from pipeline.stages.alert_notices import News, Policy
from pipeline.store.notifications import Notifications

log = logging.getLogger(__name__)

NOTIFY_EVERY_S = 3.0
SEND_WITHIN_S = 8.0
"""How long a service that takes messages may be silent before it counts as away."""
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 300.0


class NotSent(Exception):
    """Nobody was told, or nobody knows whether somebody was; the reason as it was given."""


class Sender(Protocol):
    """A way to tell people. ``name`` is that of the channel in the store."""

    name: str
    policy: Policy

    def send(self, news: News, at: datetime) -> None:
        """Tell all of it in one message. Raises NotSent; it is then tried again."""


class Channel:
    """Tells what is due, and tries again what could not be told. Not for several threads at once.

    A message counts as told when its service took it. Killed in between, the next process tells it again.
    """

    def __init__(self, database_url: str, sender: Sender, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = sender.name
        self._sender = sender
        self._notifications = Notifications(database_url, sender.name, sender.policy)
        self._clock = clock
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = -float("inf")
        self.why: str | None = None
        """Why the last message could not be sent; None: it was, or there was none."""

    def look(self) -> bool:
        """Whether somebody was told something. Raises Unavailable when the store is away."""
        if self._clock() < self._not_before:
            return False
        now = datetime.now(UTC)
        news = self._notifications.due(now)
        if news is None:
            return False
        try:
            self._sender.send(news, now)
        except NotSent as error:
            self._failed(str(error))
            return False
        self._notifications.told(news, now)
        if self.why is not None:
            log.info("%s: messages go out again", self.name)
        self.why, self._pause_s = None, _FIRST_PAUSE_S
        return True

    def close(self) -> None:
        """Let another process tell what is due from here on."""
        self._notifications.close()

    def _failed(self, why: str) -> None:
        if self.why is None:
            log.error("%s: nobody could be told, it is tried again: %s", self.name, why)
        self.why = why
        self._not_before = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
