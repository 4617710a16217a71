"""A Quix Streams application: regrouped by link through Kafka, windows of ten minutes in RocksDB."""

from __future__ import annotations

import sys
from operator import add
from typing import Any

from peer import FOLDER, GROUP, KAFKA, TOPIC, WINDOW_MS, Progress, counts_of, parse, write_windows
from quixstreams import Application

_LATENESS_MS = 9 * 3_600_000

progress = Progress()
latest: dict[tuple[str, int], list[int]] = {}


def read(body: bytes) -> list[Any]:
    """Link, time, and what to count."""
    said = parse(body)
    return ["\t".join(said.link), said.at_ms, *counts_of(said)]


def keep(window: dict[str, Any], key: Any, timestamp: int, headers: Any) -> None:
    """What the window of a link holds now."""
    latest[key, window["start"]] = window["value"]
    progress.done += 1


def main() -> None:
    """Until SIGTERM."""
    application = Application(
        broker_address=KAFKA,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        state_dir=FOLDER / "state",
        loglevel="WARNING",
    )
    topic = application.topic(TOPIC, value_deserializer="bytes", key_deserializer="bytes")
    messages = application.dataframe(topic).apply(read)
    links = messages.group_by(lambda said: said[0], name="link")
    links = links.set_timestamp(lambda said, key, timestamp, headers: said[1])
    windows = links.tumbling_window(WINDOW_MS, grace_ms=_LATENESS_MS)
    counted = windows.reduce(lambda counts, said: list(map(add, counts, said[2:])), lambda said: said[2:])
    counted.current().update(keep, metadata=True)
    application.run()
    write_windows([[start, *counts] for (_, start), counts in latest.items()])


if __name__ == "__main__":
    sys.exit(main())
