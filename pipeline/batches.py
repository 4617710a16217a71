"""Batches of things that differ in size: bounded in number and in bytes, so that memory is bounded too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

MOST = 5000
MOST_BYTES = 64 * 1024 * 1024


def batches(
    items: Iterable[T], size: Callable[[T], int], most: int = MOST, most_bytes: int = MOST_BYTES
) -> Iterator[list[T]]:
    """The items in order, in lists that end at ``most`` items or once they hold ``most_bytes``."""
    batch: list[T] = []
    held = 0
    for item in items:
        batch.append(item)
        held += size(item)
        if len(batch) >= most or held >= most_bytes:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
