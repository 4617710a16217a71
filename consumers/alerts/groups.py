"""What waits in Kafka, for every consumer group that reads our topics."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from consumers.alerts.sample import Ages, Answer
from consumers.kafka.access import KafkaAccess
from consumers.kafka.groups import Group, readers
from consumers.kafka.lookup import written_at
from consumers.kafka.places import Place
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
    _known: Ages = field(default_factory=Ages, init=False)

    def __call__(self) -> Answer:
        """A sample a group, over all our topics that it reads; the age of the oldest message for ours. Raises
        KafkaAway."""
        found = readers(self.access, [topic.name for topic in TOPICS], self.ours)
        broker = self.access.address
        oldest = self._known.known(lambda: self._oldest_s({name: found[name] for name in self.ours}))
        samples = [self._sample(broker, name, found[name], oldest.get(name)) for name in sorted(found)]
        return Answer(samples, frozenset([broker]))

    def _oldest_s(self, groups: Mapping[str, Group]) -> dict[str, float]:
        """For how many seconds the oldest message that each of these groups has still to read has been in Kafka; those
        for which nothing waits are left out. Raises KafkaAway."""
        waiting = {name: _next_places(group) for name, group in groups.items()}
        written = written_at(self.access, {place for places in waiting.values() for place in places})
        now = time.time()
        came = {name: [written[place] for place in places if place in written] for name, places in waiting.items()}
        return {name: max(0.0, now - min(times)) for name, times in came.items() if times}

    def _sample(self, broker: str, name: str, group: Group, oldest_s: float | None) -> Sample:
        places = group.places.values()
        return Sample(
            "group",
            broker,
            plain(name)[:_LONGEST_NAME],
            depth=sum(place.lag for place in places),
            oldest_s=oldest_s,
            consumers=group.members,
            enqueued=sum(place.end for place in places),
            dequeued=sum(place.reached for place in places),
            ours=name in self.ours,
        )


def _next_places(group: Group) -> list[Place]:
    """Where the messages lie that the group reads next, one of each partition in which some wait."""
    return [(*partition, offsets.reached) for partition, offsets in group.places.items() if offsets.lag]
