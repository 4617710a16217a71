"""Which addresses are connected: those behind the brokers' names, looked up again and again.

FTS publishes to every broker behind an alias in turn and looks the alias up once an hour, so messages still come to an
address for a while after it has left the alias: a connected one is kept for longer than that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from consumers.bridge import stats
from consumers.bridge.link import Link
from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.stomp.endpoint import Endpoint

log = logging.getLogger(__name__)

KEEP_S = 2 * 3600.0
"""A connected address that has left its name is given up after this, one that is not connected at once."""

Key = tuple[int, Endpoint]
"""The place of the broker's settings, and one of its addresses."""


class Fleet:
    """The links of all brokers; for one thread."""

    def __init__(
        self,
        brokers: Sequence[BrokerSettings],
        new_link: Callable[[BrokerSettings, Endpoint], Link],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._brokers = brokers
        self._new_link = new_link
        self._clock = clock
        self._links: dict[Key, Link] = {}
        self._last_named: dict[Key, float] = {}
        self._unresolved: dict[str, str] = {}

    @property
    def links(self) -> list[Link]:
        return list(self._links.values())

    @property
    def problems(self) -> list[str]:
        """Where and why, for each name without an address and each address without a connection."""
        waiting = [link.stats for link in self.links if link.stats.state != stats.CONNECTED]
        return [*self._unresolved.values(), *(s.last_error or f"{s.broker} does not answer yet" for s in waiting)]

    def reconcile(self) -> None:
        """Connect what is new behind a name, leave what is no longer there. A name that fails keeps what it has."""
        now = self._clock()
        for place, broker in enumerate(self._brokers):
            try:
                endpoints = broker.endpoints()
            except Unreachable as error:
                if self._unresolved.get(broker.url) != error.short:
                    log.warning("%s; trying again", error)
                self._unresolved[broker.url] = error.short
                self._last_named.update((key, now) for key in self._links if key[0] == place)
                continue
            self._unresolved.pop(broker.url, None)
            for endpoint in endpoints:
                self._last_named[place, endpoint] = now
                if (place, endpoint) not in self._links:
                    self._links[place, endpoint] = link = self._new_link(broker, endpoint)
                    link.start()
        for key, link in list(self._links.items()):
            gone_s = now - self._last_named[key]
            if gone_s > KEEP_S or (gone_s > 0 and link.stats.state != stats.CONNECTED):
                log.info("%s is no longer behind its name: leaving it", key[1])
                del self._links[key], self._last_named[key]
                link.stop()

    def stop(self, timeout_s: float) -> list[Link]:
        """End all links in order; those that have not ended within that time."""
        until = self._clock() + timeout_s
        for link in self.links:
            link.stop()
        return [link for link in self.links if not link.join(max(0.0, until - self._clock()))]
