"""What one connection has delivered and nobody has acknowledged yet.

Batches are taken in the order of delivery and confirmed in the order in which they were taken, each as a whole. With
cumulative acks the last message of each subscription in the batch then says all: no ack can pass a message that Kafka
has not confirmed, and one subscription's ack never stands for another's. A ledger belongs to one connection and is
thrown away with it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from consumers.stomp.frames import Delivery

MAX_BYTES = 64 * 1024 * 1024
"""Nothing more is read from the broker while so many bytes wait; their number is bounded by the prefetch."""
BATCH_MESSAGES = 1000
BATCH_BYTES = 16 * 1024 * 1024


class Backlog(NamedTuple):
    """Messages and bytes without an ack, and how long the oldest of them has waited."""

    messages: int
    size: int
    oldest_s: float


class Ledger:
    """``put`` and ``wait_for_room`` are for the connection's thread, the others for the thread that forwards."""

    def __init__(self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[tuple[float, list[Delivery]]] = deque()
        self._in_hand: deque[tuple[float, list[Delivery]]] = deque()
        self._messages = 0
        self._bytes = 0
        self._is_closed = False

    def put(self, messages: list[Delivery]) -> None:
        """Messages that came, in order. After ``close`` they are left to the broker."""
        size = _size(messages)
        with self._changed:
            if self._is_closed:
                return
            self._waiting.append((self._clock(), messages))
            self._messages += len(messages)
            self._bytes += size
            self._changed.notify()

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether more may be read from the broker; waits for that at most so long."""
        if self._bytes < self._max_bytes:  # asked before every read, so without the lock: a look that is late is cheap
            return True
        with self._changed:
            return self._changed.wait_for(lambda: self._bytes < self._max_bytes, timeout_s)

    def take(self, timeout_s: float) -> list[Delivery]:
        """The next batch, empty when none comes in that time. It is in hand until ``confirm``."""
        batch: list[Delivery] = []
        size, since = 0, 0.0
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout_s)
            while self._waiting and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
                came, messages = self._waiting.popleft()
                since = since if batch else came
                batch += messages
                size += _size(messages)
            if batch:
                self._in_hand.append((since, batch))
        return batch

    def confirm(self) -> list[str]:
        """Kafka has the batch that was taken first: the ack ids to send now, one for each subscription in it."""
        with self._changed:
            _, batch = self._in_hand.popleft()
            self._messages -= len(batch)
            self._bytes -= _size(batch)
            self._changed.notify()
        acks = {message.headers["subscription"]: message.headers["ack"] for message in batch}
        return [ack.decode(errors="replace") for ack in acks.values()]

    def close(self) -> None:
        """Take in nothing more and give out nothing more: the broker keeps what is not in hand."""
        with self._changed:
            self._is_closed = True
            for _, messages in self._waiting:
                self._messages -= len(messages)
                self._bytes -= _size(messages)
            self._waiting.clear()
            self._changed.notify()

    def backlog(self) -> Backlog:
        """How much has no ack, now."""
        with self._changed:
            oldest = (self._in_hand or self._waiting or [None])[0]
            return Backlog(self._messages, self._bytes, self._clock() - oldest[0] if oldest else 0.0)


def _size(messages: list[Delivery]) -> int:
    return sum(len(message.body) for message in messages)
