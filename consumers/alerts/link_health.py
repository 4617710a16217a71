"""Link health: transfers say which links are in use, looks say which of these are far below their own week."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from pipeline.stages.link_health import subject
from pipeline.store.link_health import Changes, look
from schemas.events import FTS


class LinkHealth:
    """Remembers the links that were used since the last look. ``note`` and ``look`` may run in two threads."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._lock = threading.Lock()
        self._used: set[str] = set()

    def note(self, transfer: Mapping[str, Any]) -> None:
        """A finished transfer, as in ``transfer.schema.json``. Raises KeyError for anything else."""
        if transfer["technology"] == FTS:
            names = ("vo", "src_site", "src_host", "dst_site", "dst_host")
            link = subject(*(transfer[name] for name in names))
            with self._lock:
                self._used.add(link)

    def look(self) -> Changes:
        """Judge the links that were used, and those with an open alert. Raises Unavailable: they are judged next time.

        A link is judged again when it is used again, so nothing has to be remembered over a restart.
        """
        with self._lock:
            used, self._used = self._used, set()
        try:
            return look(self._url, used, time.time_ns() // 1_000_000)
        except BaseException:
            with self._lock:
                self._used |= used
            raise
