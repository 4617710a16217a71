"""What waits in Kafka, for every consumer group that reads our topics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from consumers.alerts.sample import Answer
from consumers.kafka.access import KafkaAccess
from consumers.kafka.groups import Group, readers
from pipeline.stages.alert_notices import plain
from pipeline.stages.backlog import Sample
from schemas.topics import TOPICS

_LONGEST_NAME = 249
"""As long as a topic's name may be: whoever gets at Kafka may call his group as he likes."""


@dataclass(frozen=True)
class GroupsAsk:
    """``ours`` are the groups of this transferscope, with the topics that they must read whole."""

    access: KafkaAccess
    ours: Mapping[str, Collection[str]]

    def __call__(self) -> Answer:
        """A sample a group, over all our topics that it reads. Raises KafkaAway."""
        found = readers(self.access, [topic.name for topic in TOPICS], self.ours)
        broker = self.access.address
        return Answer([self._sample(broker, name, found[name]) for name in sorted(found)], frozenset([broker]))

    def _sample(self, broker: str, name: str, group: Group) -> Sample:
        places = group.places.values()
        return Sample(
            "group",
            broker,
            plain(name)[:_LONGEST_NAME],
            depth=sum(place.lag for place in places),
            consumers=group.members,
            enqueued=sum(place.end for place in places),
            dequeued=sum(place.reached for place in places),
            ours=name in self.ours,
        )
