"""Consumer groups and how far they are (kafka-python): all of them are asked for with a few requests a broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    NotCoordinatorError,
)

from consumers.kafka.access import KafkaAccess
from consumers.kafka.client import admin_client

_COORDINATOR_S = 15.0
_COORDINATOR_POLL_S = 0.2
_NOT_YET = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
_OF_CONSUMERS = ("consumer", "")
"""The protocols of groups that commit offsets; "": of clients that commit without joining."""
_NOBODY = ("Empty", "Dead")


class Offsets(NamedTuple):
    """Of a partition: what the group has committed (None: nothing yet), and where the partition begins and ends."""

    committed: int | None
    begin: int
    end: int

    @property
    def reached(self) -> int:
        """The offset of the first message that the group has still to read."""
        return self.begin if self.committed is None else max(self.committed, self.begin)

    @property
    def lag(self) -> int:
        """Messages that the group has still to read."""
        return self.end - self.reached


Places = dict[tuple[str, int], Offsets]
"""By topic and number of the partition."""


class Group(NamedTuple):
    """How many members a consumer group has (None: not known), and how far it is."""

    members: int | None
    places: Places


def lag(access: KafkaAccess, group: str, topics: Iterable[str]) -> Places:
    """The offsets of a consumer group for every partition of the topics; topics that are not there are left out.

    Raises KafkaAway.
    """
    with admin_client(access) as client:
        places = _partitions(client, topics)
        if not places:
            return {}
        committed = _coordinated(lambda: client.list_group_offsets({group: places})).get(group, {})
        return _offsets(_bounds(client, places), committed, places)


def readers(access: KafkaAccess, topics: Collection[str], ours: Mapping[str, Collection[str]]) -> dict[str, Group]:
    """Every consumer group of the cluster that has committed something in these topics, by name.

    A partition counts when the group has committed something in it. ``ours`` are groups that are told, there or not,
    with the topics of which every partition counts for them. How many groups there are makes no more requests, from
    Kafka 3.0 on. Members of a group with the protocol of KIP-848 are not known unless there is none. Raises KafkaAway.
    """
    with admin_client(access) as client:
        places = _partitions(client, topics)
        listed = {each["group_id"]: each for each in client.list_groups() if each["protocol_type"] in _OF_CONSUMERS}
        names = sorted({*listed, *ours})
        committed = _coordinated(lambda: client.list_group_offsets(dict.fromkeys(names)))
        counted = {name: _counted(places, committed.get(name, {}), ours.get(name, ())) for name in names}
        counted = {name: found for name, found in counted.items() if found or name in ours}
        described = _coordinated(lambda: client.describe_groups(sorted(counted)))
        bounds = _bounds(client, places)
    return {
        name: Group(
            _members(described.get(name, {}), listed.get(name)), _offsets(bounds, committed.get(name, {}), found)
        )
        for name, found in counted.items()
    }


def forget_group(access: KafkaAccess, group: str) -> None:
    """Forget what a consumer group has committed; it must have no member. Raises KafkaAway."""
    with admin_client(access) as client, suppress(GroupIdNotFoundError):
        _coordinated(lambda: client.delete_groups([group]))


def _partitions(client: Any, topics: Iterable[str]) -> list[TopicPartition]:
    described = {topic["name"]: topic["partitions"] for topic in client.describe_topics(list(topics))}
    return [TopicPartition(name, p["partition_index"]) for name, found in described.items() for p in found]


def _counted(
    places: Iterable[TopicPartition], committed: Mapping[TopicPartition, Any], whole: Collection[str]
) -> list[TopicPartition]:
    return [place for place in places if place.topic in whole or _offset(committed.get(place)) is not None]


def _bounds(client: Any, places: Collection[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Where these begin and end. Asked after what is committed, so that no lag is negative."""
    if not places:
        return {}
    begins = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    return {place: (begins[place].offset, ends[place].offset) for place in places}


def _offsets(
    bounds: Mapping[TopicPartition, tuple[int, int]],
    committed: Mapping[TopicPartition, Any],
    places: Iterable[TopicPartition],
) -> Places:
    return {(each.topic, each.partition): Offsets(_offset(committed.get(each)), *bounds[each]) for each in places}


def _members(described: Mapping[str, Any], listed: Mapping[str, Any] | None) -> int | None:
    """What the old protocol tells; of a group of the new one, or of one that is not there, whether there is nobody."""
    if described.get("members"):
        return len(described["members"])
    is_empty = listed is None or listed["group_state"] in _NOBODY or not described.get("error")
    return 0 if is_empty else None


def _coordinated(ask: Callable[[], Any]) -> Any:
    """A cluster that has never had a group first makes the topic for their offsets, and says so meanwhile."""
    until = time.monotonic() + _COORDINATOR_S
    while True:
        try:
            return ask()
        except _NOT_YET:
            if time.monotonic() > until:
                raise
            time.sleep(_COORDINATOR_POLL_S)


def _offset(committed: Any) -> int | None:
    return None if committed is None or committed.offset < 0 else int(committed.offset)
