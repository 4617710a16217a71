"""A Bytewax flow: windows of ten minutes by link, held in memory and written at the end of the topic."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from operator import add

import bytewax.operators as op
import bytewax.operators.windowing as win
from bytewax._bytewax import cli_main
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from peer import KAFKA, TOPIC, WINDOW_MS, Progress, counts_of, parse, write_windows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WINDOW = timedelta(milliseconds=WINDOW_MS)
_LATENESS = timedelta(hours=9)
_BATCH = 10_000

# It may come before the windows are written; in all threads, so before there are others.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
progress = Progress()
rows: list[list[int]] = []


def read(message: KafkaSourceMessage) -> tuple[str, tuple[datetime, tuple[int, ...]]]:
    """By link: when, and what to count."""
    said = parse(message.value)
    at = datetime.fromtimestamp(said.at_ms / 1000, UTC)
    return "\t".join(said.link), (at, counts_of(said))


def fold(counts: list[int], item: tuple[datetime, tuple[int, ...]]) -> list[int]:
    """Count one."""
    for place, number in enumerate(item[1]):
        counts[place] += number
    progress.done += 1
    return counts


def merge(one: list[int], other: list[int]) -> list[int]:
    """Counts of two windows that became one, which tumbling ones never do."""
    return list(map(add, one, other))


class Rows(StatelessSinkPartition):
    """Keeps what comes out, for the end."""

    def write_batch(self, items: list[tuple[str, tuple[int, list[int]]]]) -> None:
        rows.extend([window * WINDOW_MS, *counts] for _, (window, counts) in items)


class Kept(DynamicSink):
    """A sink on every worker."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Rows:
        return Rows()


def flow() -> Dataflow:
    """Kafka until the end of the topic, windows, memory."""
    dataflow = Dataflow("links")
    messages = op.input("kafka", dataflow, KafkaSource([KAFKA], [TOPIC], tail=False, batch_size=_BATCH))
    links = op.map("read", messages, read)
    clock = win.EventClock(lambda item: item[0], wait_for_system_duration=_LATENESS)
    windower = win.TumblingWindower(length=_WINDOW, align_to=_EPOCH)
    windows = win.fold_window("count", links, clock, windower, lambda: [0] * 6, fold, merge, ordered=False)
    op.output("kept", windows.down, Kept())
    return dataflow


if __name__ == "__main__":
    addresses = os.environ["PEER_ADDRESSES"].split(",")
    cli_main(flow(), process_id=int(os.environ["PEER_PROCESS"]), addresses=addresses)
    write_windows(rows)
    signal.sigwait({signal.SIGTERM})
