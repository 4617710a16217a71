"""Messages published as FTS does it, while a test does its mischief."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from consumers.bridge.publish import publish
from consumers.bridge.settings import BrokerSettings
from pipeline.simulator import SimMessage
from tests.support.waiting import eventually

CHUNKS_A_SECOND = 5


class Publisher:
    """Publishes in a thread of its own while the context lasts; leaving it waits for the end.

    In chunks, and the broker has confirmed one before the next begins: ``paused`` keeps the broker free of half sent
    messages, which would be published twice, for as long as it is restarted.
    """

    def __init__(
        self,
        messages: Sequence[SimMessage],
        settings: Mapping[str, str],
        rate: int,
        chunks_a_second: int = CHUNKS_A_SECOND,
    ) -> None:
        """``rate`` in messages a second. A chunk costs a few connections, which matters where little is published."""
        self.published = 0
        self._messages = messages
        self._rate = rate
        self._chunks_a_second = chunks_a_second
        self._broker = broker_of(settings)
        self._turn = threading.Lock()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._is_enough = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.stop()
        else:
            self._thread.join()
            if self._problem is not None:
                raise self._problem

    @property
    def is_publishing(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def await_published(self, number: int, within_s: float = 60) -> None:
        """Returns when the broker has confirmed so many."""

        def enough() -> bool:
            if self._problem is not None:
                raise self._problem
            return self.published >= number

        eventually(enough, within_s)

    def stop(self) -> None:
        """Publish no more than what was begun; ``published`` then says how many of the messages it were."""
        self._is_enough.set()

    def hurry(self, rate: int) -> None:
        """Publish the rest at another rate."""
        self._rate = rate

    def await_end(self) -> None:
        """Returns when nothing more comes."""
        self._thread.join()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Everything that was sent is confirmed, and nothing more is sent meanwhile."""
        self._may_go_on.clear()
        try:
            with self._turn:
                yield
        finally:
            self._may_go_on.set()

    def _run(self) -> None:
        begin = 0
        try:
            while begin < len(self._messages):
                self._may_go_on.wait()
                if self._is_enough.is_set():
                    return
                with self._turn:
                    chunk = self._messages[begin : begin + max(1, self._rate // self._chunks_a_second)]
                    self.published += publish(chunk, self._broker, self._rate)
                begin += len(chunk)
        except Exception as problem:  # noqa: BLE001 - the thread's outermost frame; whoever waits raises it again
            self._problem = problem


def broker_of(settings: Mapping[str, str]) -> BrokerSettings:
    """The broker that the settings of the local stack name."""
    return BrokerSettings(
        settings["TRANSFERSCOPE_STOMP_BROKERS"],
        settings["TRANSFERSCOPE_STOMP_USER"],
        Path(settings["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]),
    )
