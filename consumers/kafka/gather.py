"""Few messages become many: when a batch is closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sized
from typing import NamedTuple, TypeVar

M = TypeVar("M", bound=Sized)


class Limits(NamedTuple):
    """A batch is closed at so many messages, so many bytes of bodies, or so many seconds after its first message."""

    most: int
    most_bytes: int
    linger_s: float


def gather(
    poll: Callable[[int, float], list[M]], limits: Limits, wait_s: float, clock: Callable[[], float] = time.monotonic
) -> list[M]:
    """A batch in the order of arrival; empty when nothing comes in the time given.

    ``poll`` gives what is there, at most so many, and waits so many seconds for the first of them. A batch exceeds its
    bytes at the most by what a single poll gives.
    """

    def more(room: int, wait_s: float) -> list[M]:
        return poll(room, 0.0) or poll(1, max(0.0, wait_s))

    batch = more(limits.most, wait_s)
    size = sum(map(len, batch))
    closes_at = clock() + limits.linger_s
    while batch and len(batch) < limits.most and size < limits.most_bytes:
        found = more(limits.most - len(batch), closes_at - clock())
        if not found:
            break
        batch += found
        size += sum(map(len, found))
    return batch
