"""Where messages lie in Kafka, as words: the id by which the logs of bridge and worker name the same messages."""

from __future__ import annotations

from collections.abc import Iterable

Place = tuple[str, int, int]
"""Topic, partition, offset."""


def batch_id(places: Iterable[Place]) -> str:
    """``fts.transfer-0:17-42 fts.transfer-3:5-5``: first and last offset of each partition that a batch has a part in.

    Bridge and worker cut batches differently: a message is in those whose ranges hold its offset.
    """
    ranges: dict[tuple[str, int], tuple[int, int]] = {}
    for topic, partition, offset in places:
        first, last = ranges.get((topic, partition), (offset, offset))
        ranges[topic, partition] = (min(first, offset), max(last, offset))
    return " ".join(f"{topic}-{number}:{first}-{last}" for (topic, number), (first, last) in sorted(ranges.items()))


def place_of(reference: str) -> Place:
    """The place of ``topic-partition-offset``."""
    topic, partition, offset = reference.rsplit("-", 2)
    return topic, int(partition), int(offset)
