"""Queues of a real broker whose depth wanders around a limit, and when exactly it went over and under."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from random import Random

from consumers.bridge.settings import BrokerSettings
from consumers.stomp.endpoint import Endpoint
from consumers.stomp.frames import Delivery
from consumers.stomp.session import NoMessages, Session
from tests.support.publishing import broker_of

_BODY = b"x" * 100
_ACK_EVERY = 100
"""ActiveMQ pages in 200 messages at a time, and waits for acks before it pages in more."""
_ANSWER_S = 30.0


class Spans:
    """The times, in seconds since the epoch, in which something was so; the end of the last may be None."""

    def __init__(self) -> None:
        self.all: list[tuple[float, float | None]] = []

    def note(self, is_so: bool, at: float) -> None:
        """What is known from that time on."""
        begun = self.all and self.all[-1][1] is None
        if is_so and not begun:
            self.all.append((at, None))
        elif begun and not is_so:
            self.all[-1] = (self.all[-1][0], at)

    def begin(self, after: float, until: float) -> float:
        """When it began to be so that it was unknown to a look at ``after``, and known to one at ``until``.

        The earliest beginning that fits both: what happened between two looks counts from the first time.
        """
        return min(start for start, end in self.all if start <= until and (end is None or end > after))


class _Inbox:
    def __init__(self) -> None:
        self.messages: SimpleQueue[Delivery] = SimpleQueue()

    def put(self, messages: list[Delivery]) -> None:
        for message in messages:
            self.messages.put(message)

    def wait_for_room(self, timeout_s: float) -> bool:
        return True


class Wandering:
    """Moves the depth of one queue here and there in a thread of its own; ``above`` and ``well`` tell what was true.

    A moment is noted before what makes it so is begun: times until somebody notices are told too long, not too short.
    """

    def __init__(self, queue: str, settings: Mapping[str, str], limit: int, pause_s: float, seed: int) -> None:
        """``pause_s``: the longest rest between two moves."""
        self.queue = queue
        self.above, self.well = Spans(), Spans()
        self.moves = 0
        self._limit = limit
        self._well_below = -(-limit * 4 // 5)
        self._pause_s = pause_s
        self._random = Random(seed)
        self._broker: BrokerSettings = broker_of(settings)
        self._endpoint: Endpoint = self._broker.endpoints()[0]
        self._depth = 0
        self._is_over = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"wandering {queue}", daemon=True)
        self.well.note(True, time.time())

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Empty the queue and stop. Raises what went wrong in the thread."""
        self._is_over.set()
        self._thread.join()
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            while not self._is_over.wait(self._random.uniform(0, self._pause_s)):
                self._move(self._somewhere())
                self.moves += 1
            self._move(0)
        except Exception as problem:  # noqa: BLE001 - the thread's outermost frame; ``end`` raises it again
            self._problem = problem

    def _somewhere(self) -> int:
        """Mostly close to the limit, often exactly on it, now and then close to where it is well again, or far away."""
        limit, near = self._limit, max(1, self._limit // 50)
        places: tuple[Callable[[], int], ...] = (
            lambda: limit + self._random.randint(-near, near),
            lambda: limit + self._random.randint(0, 1),
            lambda: self._well_below + self._random.randint(-1, near),
            lambda: self._random.randint(0, self._well_below - 1),
            lambda: limit + self._random.randint(0, limit // 3),
        )
        (choose,) = self._random.choices(places, weights=(40, 20, 15, 15, 10))
        return choose()

    def _move(self, to: int) -> None:
        for stop in sorted({self._limit, self._well_below - 1, to}):
            if self._depth < stop <= to:
                self._send(stop - self._depth)
        for stop in sorted({self._limit + 1, self._well_below, to}, reverse=True):
            if to <= stop < self._depth:
                self._fetch(self._depth - stop)

    def _send(self, number: int) -> None:
        self._note(self._depth + number)
        session = Session.open(self._endpoint, self._broker.login, NoMessages())
        for _ in range(number):
            session.send(f"/queue/{self.queue}", _BODY, {"persistent": "false"})
        assert session.close(_ANSWER_S), "the broker does not confirm what was sent"
        self._depth += number

    def _fetch(self, number: int) -> None:
        self._note(self._depth - number)
        inbox = _Inbox()
        session = Session.open(self._endpoint, self._broker.login, inbox)
        session.subscribe("0", f"/queue/{self.queue}", prefetch=min(number, _ACK_EVERY))
        for each in range(1, number + 1):
            message = inbox.messages.get(timeout=_ANSWER_S)
            if each % _ACK_EVERY == 0 or each == number:
                session.ack(message.headers["ack"].decode())
        assert session.close(_ANSWER_S), "the broker does not confirm what was taken"
        self._depth -= number

    def _note(self, depth: int) -> None:
        at = time.time()
        self.above.note(depth > self._limit, at)
        self.well.note(depth < self._well_below, at)
