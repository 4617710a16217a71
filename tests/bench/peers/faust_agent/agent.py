"""A Faust agent: windows, repetitions and pairs in Tables, which Faust keeps in changelog topics of Kafka."""

from __future__ import annotations

import asyncio
from operator import add
from typing import Any

import faust
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from peer import (
    FOLDER,
    GROUP,
    KAFKA,
    TOPIC,
    Complete,
    Link,
    Progress,
    Start,
    counts_of,
    parse,
    window_of,
    write_windows,
)

_PARTITIONS = 8

app = faust.App(
    GROUP,
    broker=f"kafka://{KAFKA}",
    store="memory://",
    datadir=FOLDER / "state",
    topic_partitions=_PARTITIONS,
    consumer_auto_offset_reset="earliest",
)
messages = app.topic(TOPIC, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
attempts = app.Table("attempts", default=list, partitions=_PARTITIONS)
"""By transfer: id, time and, of completes, when the process began."""
links = app.Table("links", default=list, partitions=_PARTITIONS)
"""By partition, window and link: partitions are those of the messages, so each has a share of a window."""

PAIR = (0, 0, 0, 0, 0, 1)

progress = Progress()


@app.agent(messages)
async def count(stream: Any) -> None:
    """One message after the other, as the partition has them."""
    async for event in stream.events():
        said = parse(event.value)
        partition = event.message.partition
        if note(said, partition):
            count_in(partition, said.at_ms, said.link, counts_of(said))
            progress.done += 1


def note(said: Start | Complete, partition: int) -> bool:
    """Whether it is new; then a pair that it makes is counted too."""
    transfer = f"{said.transfer[0]} {said.transfer[1]}"
    known = attempts[transfer]
    mine = [said.id, said.at_ms, None if isinstance(said, Start) else said.began_ms]
    if mine in known:
        return False
    attempts[transfer] = [*known, mine]
    for _, at_ms, began_ms in known:
        if isinstance(said, Complete) and began_ms is None and said.follows(at_ms):
            count_in(partition, said.at_ms, said.link, PAIR)
        elif isinstance(said, Start) and began_ms is not None and 0 < began_ms <= said.at_ms <= at_ms:
            count_in(partition, at_ms, said.link, PAIR)
    return True


def count_in(partition: int, at_ms: int, link: Link, counts: tuple[int, ...]) -> None:
    """To a window."""
    key = f"{partition} {window_of(at_ms)} {' '.join(link)}"
    links[key] = list(map(add, links[key] or [0] * 6, counts))


@app.on_before_shutdown.connect
async def leave(app: Any, **_: Any) -> None:
    """What the windows hold at the end."""
    write_windows([[int(key.split(" ")[1]), *counts] for key, counts in links.items()])


async def declare() -> None:
    """Make the changelog topics: an agent whose table's topic is only just made ends with PartitionsMismatch."""
    admin = AIOKafkaAdminClient(bootstrap_servers=KAFKA)
    await admin.start()
    names = [f"{GROUP}-{table.name}-changelog" for table in (attempts, links)]
    compacted = {"cleanup.policy": "compact"}
    await admin.create_topics([NewTopic(name, _PARTITIONS, 1, topic_configs=compacted) for name in names])
    await admin.close()


if __name__ == "__main__":
    asyncio.run(declare())
    app.main()
