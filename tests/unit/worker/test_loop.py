"""The loop: everything read is committed once and in order, and Kafka never hears of more than the store has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from consumers.kafka.consumer import Partition
from consumers.worker import backoff, loop
from consumers.worker.health import Health
from consumers.worker.loop import Loop
from consumers.worker.measures import Measures
from consumers.worker.writer import Writer
from pipeline.telemetry.telemetry import Telemetry
from tests.support.worker_fakes import TOPIC, Log, Reader, Store, message


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LINGER_S", 0.02)
    monkeypatch.setattr(loop, "_IDLE_S", 0.02)
    monkeypatch.setattr(loop, "_TELL_S", 0.02)
    monkeypatch.setattr(loop, "_ASK_S", 0.02)
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)


class Worker:
    """A loop on a log and a store in memory."""

    def __init__(self, log: Log, store: Store) -> None:
        self.log = log
        self.store = store
        self.health = Health()
        self.telemetry = Telemetry("worker")
        self.readers: list[Reader] = []
        self.loop = Loop(self._open, Writer(store, self.health), self.health, Measures(self.telemetry))

    def _open(self, before_revoke: Callable[[], Awaitable[None]]) -> Reader:
        self.readers.append(self.log.open(before_revoke))
        return self.readers[-1]

    async def until(self, condition: Callable[[], object], within_s: float = 10) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            await asyncio.sleep(0.005)


def play(log: Log, store: Store, story: Callable[[Worker], Coroutine[Any, Any, None]]) -> Worker:
    """Runs a worker while the story goes on, then ends it in order."""

    async def both() -> Worker:
        worker = Worker(log, store)
        running = asyncio.create_task(worker.loop.run())
        try:
            await story(worker)
        finally:
            store.hold.set()
            worker.loop.stop()
            await asyncio.wait_for(running, 15)
        return worker

    return asyncio.run(both())


def refs(log: Log) -> set[str]:
    return {message(number, offset).ref for number, end in enumerate(log.ends) for offset in range(end)}


def ends(log: Log) -> dict[tuple[str, int], int]:
    return {(TOPIC, number): end for number, end in enumerate(log.ends)}


def told_early(log: Log, store: Store) -> list[Any]:
    """Every offset that Kafka is told from now on while a message before it is not in the store."""
    early: list[Any] = []

    class Watched(Reader):
        async def commit(self, next_offsets: Any) -> dict[Partition, int]:
            stored = set(store.refs)
            if any(message(p, n).ref not in stored for (_, p), end in next_offsets.items() for n in range(end)):
                early.append(dict(next_offsets))
            return await super().commit(next_offsets)

    log.open = lambda before_revoke: Watched(log, before_revoke)  # type: ignore[method-assign]
    return early


def test_all_messages_are_stored_in_order_and_then_told() -> None:
    log, store = Log(20_000, 7, 0), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.committed == {(TOPIC, 0): 20_000, (TOPIC, 1): 7})

    play(log, store, story)
    assert len(store.refs) == 20_007
    assert set(store.refs) == refs(log)
    first = [ref for ref in store.refs if ref.startswith(f"{TOPIC}-0-")]
    assert first == [message(0, offset).ref for offset in range(20_000)]
    assert max(len(batch) for batch in store.batches) == loop.MOST
    assert store.is_closed


def test_messages_that_come_together_are_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LINGER_S", 2.0)  # on a busy machine ten turns of a loop take a while
    log, store = Log(0), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.readers)
        for _ in range(10):
            log.ends[0] += 1
            await asyncio.sleep(0)
        await worker.until(lambda: len(store.refs) == 10)

    play(log, store, story)
    assert len(store.batches) <= 2


def test_large_bodies_close_a_batch_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "MOST_BYTES", 1000)
    log, store = Log(100, 100), Store()
    log.body_size = 400

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.committed == ends(log))

    play(log, store, story)
    assert max(len(batch) for batch in store.batches) == 3
    assert len(store.refs) == 200


def test_nothing_is_told_before_the_last_part_of_what_was_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "MOST_BYTES", 1000)
    log, store = Log(100), Store()
    log.body_size = 400

    store.takes_s = 0.01
    early = told_early(log, store)

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.committed == ends(log))

    play(log, store, story)
    assert len(store.batches) == 34
    assert early == []


def test_the_next_batch_is_read_while_one_is_being_written() -> None:
    log, store = Log(loop.MOST), Store()
    store.hold.clear()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: store.attempts == 1)
        log.ends[0] += 5
        await worker.until(lambda: worker.readers[0]._next[TOPIC, 0] == loop.MOST + 5)
        assert store.batches == []
        assert log.commits == []
        store.hold.set()
        await worker.until(lambda: len(store.batches) == 2)

    play(log, store, story)


def test_while_postgres_is_away_the_batch_is_tried_again_and_nothing_is_told() -> None:
    log, store = Log(100), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.committed == ends(log))
        store.away = True
        log.ends[0] += 100
        await worker.until(lambda: worker.health.why_not())
        attempts = store.attempts
        told = log.committed.get((TOPIC, 0), 0)
        await worker.until(lambda: store.attempts > attempts or store.refreshed)
        await asyncio.sleep(0.1)
        assert log.committed.get((TOPIC, 0), 0) == told == len(store.refs)
        store.away = False
        await worker.until(lambda: log.committed == ends(log))
        assert worker.health.why_not() is None

    play(log, store, story)
    assert len(store.refs) == 200
    assert set(store.refs) == refs(log)


def test_a_worker_that_starts_without_postgres_waits_for_it() -> None:
    log, store = Log(3), Store()
    store.away = True

    async def story(worker: Worker) -> None:
        await worker.until(lambda: worker.health.why_not())
        store.away = False
        await worker.until(lambda: len(store.refs) == 3)

    play(log, store, story)


def test_kafka_away_is_waited_for_and_reading_goes_on_behind_what_was_told() -> None:
    log, store = Log(100), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.committed == ends(log))
        log.away = True
        await worker.until(lambda: worker.health.why_not())
        assert "kafka:9092" in str(worker.health.why_not())
        log.ends[0] += 100
        log.away = False
        await worker.until(lambda: log.committed == ends(log))
        assert worker.health.why_not() is None

    play(log, store, story)
    assert len(store.refs) == 200
    assert log.readers == 2


def test_partitions_are_told_before_they_go_and_forgotten_after() -> None:
    log, store = Log(50), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: len(store.refs) == 50)
        reader = worker.readers[0]
        await worker.until(lambda: worker.health.report()["received"] == 50)
        await reader.before_revoke()
        assert log.committed == ends(log)
        before = len(log.commits)
        await reader.before_revoke()
        assert len(log.commits) == before

    play(log, store, story)


def test_what_kafka_does_not_take_while_partitions_move_is_told_when_they_are_ours_again() -> None:
    """The answer to the last request before a rebalance may come behind it, when all is forgotten and read again."""
    log, store = Log(50), Store()
    log.moves, log.answers_after_s = True, 0.3

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.commits)
        reader = worker.readers[0]
        worker.loop._ledger.forget()  # as at the end of before_revoke, while a request is under way
        log.moves = False
        reader.begin()
        await worker.until(lambda: log.committed == ends(log))

    play(log, store, story)


def test_what_comes_again_after_a_rebalance_is_stored_again_and_is_no_harm() -> None:
    log, store = Log(50), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.committed == ends(log))
        log.committed.clear()
        worker.readers[0].begin()
        await worker.until(lambda: len(store.refs) == 100)
        await worker.until(lambda: worker.health.report()["duplicate"] == 50)

    play(log, store, story)


def test_an_end_waits_for_the_commit_under_way_and_tells_it() -> None:
    log, store = Log(10), Store()
    store.hold.clear()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: store.attempts == 1)
        worker.loop.stop()
        await asyncio.sleep(0.05)
        assert log.left == 0
        store.hold.set()

    play(log, store, story)
    assert log.committed == ends(log)
    assert log.left == 1


def test_an_end_while_postgres_is_away_does_not_wait_and_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "_FIRST_S", 60.0)
    log, store = Log(10), Store()

    async def story(worker: Worker) -> None:
        await worker.until(lambda: store.refreshed)
        store.away = True
        await worker.until(lambda: worker.health.why_not())
        began = time.monotonic()
        worker.loop.stop()
        await worker.until(lambda: log.left == 1)
        assert time.monotonic() - began < 5

    play(log, store, story)
    assert log.committed.get((TOPIC, 0), 0) == len(store.refs)


def test_an_end_does_not_wait_for_ever_for_a_commit_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_STOP_LIMIT_S", 0.2)
    log, store = Log(10), Store()
    store.hold.clear()

    async def both() -> float:
        worker = Worker(log, store)
        running = asyncio.create_task(worker.loop.run())
        await worker.until(lambda: store.attempts == 1)
        began = time.monotonic()
        worker.loop.stop()
        await running
        return time.monotonic() - began

    assert asyncio.run(both()) < 3
    store.hold.set()
    assert log.commits == []


@pytest.mark.parametrize("is_more_coming", [True, False])
def test_a_bug_ends_the_worker_with_its_error(is_more_coming: bool) -> None:
    log, store = Log(10), Store()
    store.bug = ZeroDivisionError("a bug")

    async def run() -> None:
        worker = Worker(log, store)
        running = asyncio.create_task(worker.loop.run())
        if is_more_coming:
            await worker.until(lambda: store.attempts)
            log.ends[0] += 10
        await asyncio.wait_for(running, 10)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        asyncio.run(run())
    assert log.commits == []
    assert log.left == 1


@pytest.mark.parametrize(
    "faults",
    [
        ("kafka", "postgres", "kafka", "rebalance"),
        ("rebalance", "postgres", "rebalance", "kafka", "postgres"),
        ("postgres", "rebalance", "postgres", "kafka", "rebalance"),
    ],
    ids="-".join,
)
def test_through_any_faults_everything_is_stored_and_nothing_is_told_early(faults: tuple[str, ...]) -> None:
    log, store = Log(0, 0), Store()
    early = told_early(log, store)

    async def story(worker: Worker) -> None:
        await worker.until(lambda: log.readers)
        for fault in faults:
            log.ends = [end + 500 for end in log.ends]
            if fault == "rebalance":
                await worker.readers[-1].before_revoke()
                worker.readers[-1].begin()
            else:
                target = log if fault == "kafka" else store
                target.away = True
                await worker.until(lambda: worker.health.why_not())
                log.ends = [end + 500 for end in log.ends]
                target.away = False
        await worker.until(lambda: log.committed == ends(log))

    play(log, store, story)
    assert early == []
    assert set(store.refs) == refs(log)
