"""Several processes that write to the store, each with a share of the messages.

All messages of a transfer key go to one of them, and a key's shard decides which, so that writers do not wait for each
other's shards. Messages of no key (xrootd records, queue reports, what cannot be read) may need any shard: they make
batches of their own, for whoever has the least to do.
"""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Self

from pipeline.batches import MOST_BYTES
from pipeline.cli.errors import CommandError
from pipeline.ingest import Ingest, garbage
from schemas.envelope import RawMessage
from schemas.keys import hash64, routing_key, shard_of

MOST = 10_000
"""Messages of a batch: twice as many as elsewhere, since nobody waits for the first of them."""
_AHEAD = 2
"""Batches that a writer may have at once: one that it commits and one to go on with."""
_COLLECT_EVERY = 50
_END_LIMIT_S = 10.0


class WriterDied(CommandError):
    """A writer was killed; what it had not committed is not stored."""


class Writers:
    """``put`` and ``finish`` tell what has become of messages since they were last asked.

    Both raise what a writer raised (Unavailable), or WriterDied.
    """

    def __init__(self, number: int, open_ingest: Callable[[], Ingest]) -> None:
        """``open_ingest`` is called in each of the ``number`` processes, so it must be picklable."""
        context = multiprocessing.get_context("spawn")
        self._writers = [_Writer(context, open_ingest) for _ in range(number)]
        self._shares = [_Share() for _ in range(number)]
        self._keyless = _Share()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers:
            writer.end()

    def put(self, messages: Sequence[RawMessage]) -> Counter[str]:
        """Take messages; returns when they are with the writers, not when they are stored."""
        counts: Counter[str] = Counter()
        for message in messages:
            key = routing_key(message.body)
            number = shard_of(hash64(key)) % len(self._shares) if key else None
            share = self._keyless if number is None else self._shares[number]
            if share.add(message):
                self._send(share, None if number is None else self._writers[number], counts)
        return counts

    def finish(self) -> Counter[str]:
        """Returns when all is stored."""
        counts: Counter[str] = Counter()
        for share, writer in zip(self._shares, self._writers, strict=True):
            self._send(share, writer, counts)
        self._send(self._keyless, None, counts)
        while any(writer.busy for writer in self._writers):
            self._hear(counts)
        return counts

    def _send(self, share: _Share, writer: _Writer | None, counts: Counter[str]) -> None:
        batch = share.take()
        if not batch:
            return
        writer = writer or min(self._writers, key=lambda each: each.busy)
        while writer.busy >= _AHEAD:
            self._hear(counts)
        writer.send(batch)

    def _hear(self, counts: Counter[str]) -> None:
        """Wait until at least one writer has stored a batch."""
        of = {writer.connection: writer for writer in self._writers if writer.busy}
        for connection in wait(list(of)):
            counts.update(of[connection].receive())  # type: ignore[index]  # those are the ones that were asked


class _Share:
    """Messages that are to go to one writer together."""

    def __init__(self) -> None:
        self._messages: list[RawMessage] = []
        self._bytes = 0

    def add(self, message: RawMessage) -> bool:
        """Whether it is time to send them."""
        self._messages.append(message)
        self._bytes += len(message.body)
        return len(self._messages) >= MOST or self._bytes >= MOST_BYTES

    def take(self) -> list[RawMessage]:
        messages, self._messages, self._bytes = self._messages, [], 0
        return messages


class _Writer:
    """One process, seen from here."""

    def __init__(self, context: multiprocessing.context.SpawnContext, open_ingest: Callable[[], Ingest]) -> None:
        self.busy = 0
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_write, args=(theirs, open_ingest), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, batch: list[RawMessage]) -> None:
        try:
            self.connection.send_bytes(pickle.dumps(batch, pickle.HIGHEST_PROTOCOL))
        except OSError as error:
            raise self._death() from error
        self.busy += 1

    def receive(self) -> dict[str, int]:
        try:
            said = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._death() from error
        self.busy -= 1
        if isinstance(said, Exception):
            raise said
        return said  # type: ignore[no-any-return]  # it sends nothing else

    def end(self) -> None:
        """It ends when it has stored what it holds; not in time: now."""
        self.connection.close()
        self._process.join(_END_LIMIT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _death(self) -> WriterDied:
        self._process.join(_END_LIMIT_S)
        return WriterDied(
            f"a writing process ended with code {self._process.exitcode}: run the same command again, "
            "what is stored already counts as duplicate"
        )


def _write(connection: Connection, open_ingest: Callable[[], Ingest]) -> None:
    """The life of a writer: batches in, what became of them out, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal; the one who reads files decides
    garbage.stop_automatic()
    waiting: queue.Queue[bytes | None] = queue.Queue(1)
    threading.Thread(target=_read, args=(connection, waiting), daemon=True).start()
    with suppress(BrokenPipeError):
        try:
            with closing(open_ingest()) as ingest:
                for number, packed in enumerate(iter(waiting.get, None), 1):
                    connection.send(ingest.process(pickle.loads(packed))._asdict())  # noqa: S301 - from our own parent
                    if number % _COLLECT_EVERY == 0:
                        garbage.collect()
        except Exception as error:  # noqa: BLE001 - the process's outermost frame; it is raised in the other one
            connection.send(error)


def _read(connection: Connection, waiting: queue.Queue[bytes | None]) -> None:
    """The next batch comes in while one is committed."""
    with suppress(EOFError, OSError):
        while True:
            waiting.put(connection.recv_bytes())
    waiting.put(None)
