"""A TCP proxy in front of a service, which cuts, holds back, forgets or delays what passes."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

Read = Callable[[asyncio.StreamReader], Awaitable[bytes]]
"""What comes next of a stream, b"" at its end."""

_CHUNK_BYTES = 64 * 1024
_ANSWER_S = 10.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST instead of FIN."""


async def chunk(reader: asyncio.StreamReader) -> bytes:
    """Whatever is there."""
    return await reader.read(_CHUNK_BYTES)


def kafka_frames(there: int, here: int) -> Read:
    """Reads Kafka's answers, in which the broker on port ``there`` of 127.0.0.1 becomes one on port ``here``.

    A client of Kafka leaves the address that it was given for the one that the broker tells: of the same length, so
    that the bytes can be exchanged without knowing the protocol any further.
    """
    told, wanted = (b"127.0.0.1" + port.to_bytes(4, "big") for port in (there, here))

    async def read(reader: asyncio.StreamReader) -> bytes:
        length = await reader.readexactly(4)
        return length + (await reader.readexactly(int.from_bytes(length, "big"))).replace(told, wanted)

    return read


class Proxy:
    """Listens on a port of 127.0.0.1 while the context lasts. May be told what to do from any thread."""

    def __init__(self, port: int, answers: Callable[[int], Read] = lambda own: chunk) -> None:
        """``port``: of the service, on 127.0.0.1. ``answers`` makes, of the proxy's port, what reads the service's
        side."""
        self.port = 0
        self._target = port
        self._answers = answers
        self._read_answer: Read = chunk
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy of {port}", daemon=True)
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._delay_s = 0.0
        self._connections: set[_Connection] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._read_answer = self._answers(self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"

    def cut(self) -> int:
        """Reset every connection, on both sides; how many. New ones pass."""
        return self._call(self._cut())

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing passes meanwhile and nobody is told; what was held back passes afterwards."""
        self._call(self._let_pass(False))
        try:
            yield
        finally:
            self._call(self._let_pass(True))

    @contextmanager
    def slow(self, delay_s: float) -> Iterator[None]:
        """Everything passes so much later meanwhile, in both directions."""
        self._call(self._delay(delay_s))
        try:
            yield
        finally:
            self._call(self._delay(0.0))

    def forget(self) -> int:
        """Half-open: every connection ends for the service, and its client hears nothing any more; how many.

        New ones pass. The clients' sides are reset by ``reset_forgotten`` or at the end of the proxy.
        """
        return self._call(self._forget())

    def reset_forgotten(self) -> None:
        """What a client's own kernel does once it has given up a peer that is silent."""
        self._call(self._reset_forgotten())

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_S)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        connection = _Connection((reader, writer), there)
        self._connections.add(connection)
        try:
            await connection.run(self._pass, self._read_answer)
        finally:
            self._connections.discard(connection)

    async def _pass(self, read: Read, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while data := await read(reader):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                await self._may_pass.wait()
                writer.write(data)
                await writer.drain()

    async def _cut(self) -> int:
        cut = list(self._connections)
        for connection in cut:
            connection.reset()
        return len(cut)

    async def _let_pass(self, may_pass: bool) -> None:
        self._may_pass.set() if may_pass else self._may_pass.clear()

    async def _delay(self, delay_s: float) -> None:
        self._delay_s = delay_s

    async def _forget(self) -> int:
        forgotten = list(self._connections)
        for connection in forgotten:
            self._forgotten.add(connection.forget())
        return len(forgotten)

    async def _reset_forgotten(self) -> None:
        while self._forgotten:
            _reset(self._forgotten.pop())

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        await self._reset_forgotten()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Connection:
    """A client and the service, one task a direction."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        service: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._client = client
        self._service = service
        self._tasks: list[asyncio.Task[None]] = []
        self._is_forgotten = False

    async def run(
        self,
        pass_on: Callable[[Read, asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
        read_answer: Read,
    ) -> None:
        """Until one of the sides ends, which ends the other."""
        self._tasks = [
            asyncio.create_task(pass_on(chunk, self._client[0], self._service[1])),
            asyncio.create_task(pass_on(read_answer, self._service[0], self._client[1])),
        ]
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._stop()
        self._service[1].close()
        if not self._is_forgotten:
            self._client[1].close()

    def reset(self) -> None:
        """Both sides get a RST."""
        self._stop()
        _reset(self._client[1])
        _reset(self._service[1])

    def forget(self) -> asyncio.StreamWriter:
        """The service sees the end; the client's side is left to the caller."""
        self._is_forgotten = True
        self._stop()
        self._client[1].transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
        return self._client[1]

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()


def _reset(writer: asyncio.StreamWriter) -> None:
    connected: socket.socket | None = writer.get_extra_info("socket")
    if connected is not None and not writer.transport.is_closing():
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
