"""A signal sets the event even if the main thread is inside the event's own lock."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from pipeline.cli.stopping import told_to_stop


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.timeout(20)
def test_a_signal_that_comes_inside_the_lock_sets_the_event_afterwards(number: signal.Signals) -> None:
    stop = told_to_stop()
    with stop._cond:  # type: ignore[attr-defined]
        os.kill(os.getpid(), number)
        assert not stop.is_set()
    assert stop.wait(10)
