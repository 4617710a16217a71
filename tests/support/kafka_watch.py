"""How many records are in Kafka, asked as often as a test likes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorNotAvailableError

from consumers.worker.config import GROUP
from schemas.topics import FTS_TRANSFER
from tests.support.waiting import eventually


class KafkaWatch:
    """One connection for as long as the context lasts; Kafka must stay up."""

    def __init__(self, bootstrap: str) -> None:
        self._client = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))
        (topic,) = self._client.describe_topics([FTS_TRANSFER])
        self._places = [TopicPartition(FTS_TRANSFER, each["partition_index"]) for each in topic["partitions"]]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def partitions(self) -> int:
        """How many the topic of transfers has."""
        return len(self._places)

    def records(self) -> int:
        """The transfer messages that were written and not deleted."""
        ends, begins = (
            self._client.list_partition_offsets(dict.fromkeys(self._places, spec))
            for spec in (OffsetSpec.LATEST, OffsetSpec.EARLIEST)
        )
        return sum(ends[place].offset - begins[place].offset for place in self._places)

    def await_records(self, number: int, within_s: float = 60) -> None:
        """Returns when there are so many."""

        def enough() -> bool:
            return self.records() >= number

        eventually(enough, within_s)

    def await_members(self, number: int, within_s: float = 60) -> None:
        """Returns when so many workers have shared out the partitions among them."""

        def shared_out() -> bool:
            try:
                group = self._client.describe_groups([GROUP])[GROUP]
            except CoordinatorNotAvailableError:  # of a Kafka that has never had a group
                return False
            return group["group_state"] == "Stable" and len(group["members"]) == number

        eventually(shared_out, within_s)
