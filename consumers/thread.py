"""A thread for synchronous work that waits on something else."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class WorkThread:
    """Does one call after the other, in order.

    A daemon, in contrast to an executor's threads: a call that hangs cannot keep the process from ending, and what a
    call that is cut off leaves behind is nothing, because Postgres undoes it.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """The result of the call, or what it raises. It has the context variables of whoever waits for it."""
        future: Future[T] = Future()
        context = contextvars.copy_context()
        self._calls.put((future, lambda: context.run(call)))
        return await asyncio.wrap_future(future)

    def close(self, last: Callable[[], object]) -> None:
        """The thread ends after the calls that it has and this one."""
        self._calls.put((Future(), last))
        self._calls.put(None)

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                future.set_exception(error)
