"""What waits in Kafka, for every consumer group that reads our topics."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from consumers.alerts.sample import Answer
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.groups import Group, readers
from consumers.kafka.lookup import written_at
from consumers.kafka.places import Place
from pipeline.stages.alert_notices import plain
from pipeline.stages.backlog import Sample
from schemas.topics import TOPICS

log = logging.getLogger(__name__)

_LONGEST_NAME = 249
"""As long as a topic's name may be: whoever gets at Kafka may call his group as he likes."""


@dataclass(frozen=True)
class GroupsAsk:
    """``ours`` are the groups of this transferscope, with the topics that they must read whole."""

    access: KafkaAccess
    ours: Mapping[str, Collection[str]]

    def __call__(self) -> Answer:
        """A sample a group, over all our topics that it reads; the age of the oldest message for ours. Raises
        KafkaAway."""
        found = readers(self.access, [topic.name for topic in TOPICS], self.ours)
        broker = self.access.address
        ages = self._ages({place for name in self.ours for place in _next_places(found[name])})
        samples = [self._sample(broker, name, found[name], ages) for name in sorted(found)]
        return Answer(samples, frozenset([broker]))

    def _ages(self, places: Collection[Place]) -> dict[Place, float]:
        """For how many seconds these messages have been in Kafka, as far as that can be known."""
        try:
            written = written_at(self.access, places)
        except KafkaAway as away:
            log.warning("how long messages have waited in Kafka is not known: %s", away)
            return {}
        now = time.time()
        return {place: max(0.0, now - at) for place, at in written.items()}

    def _sample(self, broker: str, name: str, group: Group, ages: Mapping[Place, float]) -> Sample:
        places = group.places.values()
        return Sample(
            "group",
            broker,
            plain(name)[:_LONGEST_NAME],
            depth=sum(place.lag for place in places),
            oldest_s=max((ages[place] for place in _next_places(group) if place in ages), default=None),
            consumers=group.members,
            enqueued=sum(place.end for place in places),
            dequeued=sum(place.reached for place in places),
            ours=name in self.ours,
        )


def _next_places(group: Group) -> Iterator[Place]:
    """Where the messages lie that the group reads next, one of each partition in which some wait."""
    return ((*partition, offsets.reached) for partition, offsets in group.places.items() if offsets.lag)
