"""The rule for a backlog in its own words, a second time: nothing here is the product's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

T = TypeVar("T")
Event = tuple[Literal["raised", "cleared"], T]


def alerts_by_the_rule(samples: Iterable[tuple[T, int | None]], limit: int) -> list[Event[T]]:
    """What happens to a queue at which of its samples (time, depth), oldest first, none of which is missing.

    Raised on two samples in a row above the limit, cleared below 80 % of it. None: there was no such queue.
    """
    found: list[Event[T]] = []
    is_open = False
    above = 0
    for at, depth in samples:
        above = above + 1 if depth is not None and depth > limit else 0
        if above >= 2 and not is_open:
            found.append(("raised", at))
            is_open = True
        elif is_open and depth is not None and depth * 100 < limit * 80:
            found.append(("cleared", at))
            is_open = False
    return found
