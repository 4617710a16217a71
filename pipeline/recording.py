"""Recorded messages in files: JSON lines, plain or compressed with gzip or zstd, or one message as it was sent.

A line is ``{"topic": …, "body": …, "headers": {…}, "received": ms}``, with ``body_base64`` for a body that is not
UTF-8. A file whose name does not end in ``.jsonl`` or ``.ndjson`` and that does not begin with such a line is the body
of one message; what it is tell the caller's ``topic``, else its fields (``tr_id``: a complete, ``transfer_id``: a
start, ``fts_id``: a queue status, ``source_se``: an optimizer message), else the word start, complete, queue or
optimizer in its name.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import orjson
import zstandard

from schemas.envelope import RawMessage
from schemas.framing import strip_frame
from schemas.times import BadTime, wire_time
from schemas.topics import FTS_COMPLETE, FTS_OPTIMIZER, FTS_QUEUE_STATUS, FTS_START

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE_BYTES = 256 * 1024 * 1024
"""A body of 16 MiB in the worst of JSON's escapes, and room: a longer line is skipped, never held in memory."""

_LINES_NAME = re.compile(r".*\.(jsonl|ndjson)(\.\w+)?", re.IGNORECASE)
_LINES_START = re.compile(rb'\s*\{\s*"topic"\s*:')
_FIELD_OF_KIND = {
    "tr_id": FTS_COMPLETE,
    "transfer_id": FTS_START,
    "fts_id": FTS_QUEUE_STATUS,
    "source_se": FTS_OPTIMIZER,
}
_WORD_OF_KIND = {
    "complete": FTS_COMPLETE,
    "start": FTS_START,
    "queue": FTS_QUEUE_STATUS,
    "optimizer": FTS_OPTIMIZER,
}
_DAMAGED = (EOFError, OSError, zlib.error, zstandard.ZstdError)


class BadLine(NamedTuple):
    """A line, or a file as a whole (``line`` 0), that is no recorded message: where and why."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}" if self.line else f"{self.file}: {self.why}"


class Recording:
    """One file of recorded messages. ``kinds`` maps broker topics to kinds of messages, as configured."""

    def __init__(self, path: Path, kinds: Mapping[str, str], topic: str | None = None) -> None:
        self._path = path
        self._name = str(path).encode("utf-8", "backslashreplace").decode()
        self._kinds = kinds
        self._topic = topic
        self._raw: BinaryIO | None = None

    @property
    def size(self) -> int:
        """Bytes of the file as it is stored."""
        return self._path.stat().st_size

    @property
    def position(self) -> int:
        """How many of those bytes have been read."""
        return self._raw.tell() if self._raw is not None and not self._raw.closed else 0

    def __iter__(self) -> Iterator[RawMessage | BadLine]:
        """The messages in order, and what is none in its place; a damaged file ends where the damage is."""
        number = 0
        try:
            with self._path.open("rb") as raw:
                file_hash = hashlib.file_digest(raw, "sha256").hexdigest()
                raw.seek(0)
                self._raw = raw
                lines = _Lines(_decompressed(raw))
                first = lines.next()
                if not self._has_lines(first):
                    yield self._whole(first, lines, file_hash)
                    return
                line = first
                while line:
                    number += 1
                    if len(line) > MAX_LINE_BYTES:
                        lines.skip()
                        yield BadLine(self._name, number, f"the line is longer than {MAX_LINE_BYTES} bytes")
                    elif line.strip():
                        yield self._message(line, number, file_hash)
                    line = lines.next()
        except _DAMAGED as error:
            yield BadLine(self._name, number + 1, f"cannot be read on: {error}")

    def _has_lines(self, first: bytes) -> bool:
        if _LINES_NAME.fullmatch(self._path.name) or _LINES_START.match(first):
            return True
        try:
            record = orjson.loads(first)
        except orjson.JSONDecodeError:
            return False
        return isinstance(record, dict) and "topic" in record

    def _message(self, line: bytes, number: int, file_hash: str) -> RawMessage | BadLine:
        try:
            return self._parsed(line, number, file_hash)
        except _NotRecorded as error:
            return BadLine(self._name, number, str(error))

    def _parsed(self, line: bytes, number: int, file_hash: str) -> RawMessage:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _NotRecorded(f"not JSON: {error}") from error
        if not isinstance(record, dict):
            raise _NotRecorded("not an object with topic and body")
        topic = record.get("topic")
        if topic is None:
            raise _NotRecorded("it names no topic")
        if not isinstance(topic, str) or topic not in self._kinds:
            raise _NotRecorded(f"the topic {topic!r} is not one of {', '.join(self._kinds)}")
        return RawMessage(
            kind=self._kinds[topic],
            topic=topic,
            body=_body(record),
            headers=_headers(record.get("headers")),
            received_ms=_received(record.get("received")),
            ref=f"{self._name}:{number}",
            identity=f"{file_hash}:{number}",
        )

    def _whole(self, first: bytes, lines: _Lines, file_hash: str) -> RawMessage | BadLine:
        body = first + lines.rest()
        if len(body) > MAX_LINE_BYTES:
            return BadLine(self._name, 0, f"longer than {MAX_LINE_BYTES} bytes and not JSON lines of recorded messages")
        topic = self._topic or self._topic_of(_kind_by_fields(body) or _kind_by_name(self._path.name))
        if topic is None:
            return BadLine(
                self._name,
                0,
                "neither its fields nor its name tell what kind of message it is: say --topic TOPIC "
                f"with one of {', '.join(self._kinds)}",
            )
        return RawMessage(self._kinds[topic], topic, body, {}, None, f"{self._name}:1", f"{file_hash}:1")

    def _topic_of(self, kind: str | None) -> str | None:
        return next((topic for topic, its in self._kinds.items() if its == kind), None)


class _NotRecorded(Exception):
    """A line is not a recorded message; the text says why."""


class _Lines:
    """The lines of a stream, none longer than MAX_LINE_BYTES + 1 in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def next(self) -> bytes:
        return self._stream.readline(MAX_LINE_BYTES + 1)

    def skip(self) -> None:
        """Pass over what is left of a line that was too long."""
        while (piece := self._stream.readline(1 << 20)) and not piece.endswith(b"\n"):
            pass

    def rest(self) -> bytes:
        return self._stream.read(MAX_LINE_BYTES + 1)


def _decompressed(raw: BinaryIO) -> BinaryIO:
    magic = raw.read(4)
    raw.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if magic == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_ZstdFrames(raw))
    return raw


_PIECE = 512
"""Bytes of compressed data at a time. Four of them can stand for 128 KiB: more at once could fill the memory."""


class _ZstdFrames(io.RawIOBase):
    """Frames of zstd one after the other. The library's own reader takes a file that was cut for a complete one."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._ready:
            piece = self._raw.read(_PIECE)
            if not piece:
                if self._is_inside:
                    raise EOFError("the compressed data end before their end mark")
                return 0
            self._ready = memoryview(self._decompress(piece))
        target = memoryview(buffer)
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _decompress(self, piece: bytes) -> bytes:
        found = []
        while piece:
            found.append(self._frame.decompress(piece))
            self._is_inside = not self._frame.eof
            piece = self._frame.unused_data
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        return b"".join(found)


def _body(record: dict[str, object]) -> bytes:
    body, encoded = record.get("body"), record.get("body_base64")
    if isinstance(body, str) and encoded is None:
        return body.encode()
    if isinstance(encoded, str) and body is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise _NotRecorded(f"body_base64 is not base64: {error}") from error
    raise _NotRecorded("it needs either body or body_base64, as text")


def _headers(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _NotRecorded("headers is not an object")
    return {name: text if isinstance(text, str) else orjson.dumps(text).decode() for name, text in value.items()}


def _received(value: object) -> int | None:
    try:
        return wire_time(value)
    except BadTime as error:
        raise _NotRecorded(f"received: {error}") from error


def _kind_by_fields(body: bytes) -> str | None:
    try:
        message = orjson.loads(strip_frame(body))
    except orjson.JSONDecodeError:
        return None
    if isinstance(message, dict) and isinstance(message.get("data"), dict):
        message = message["data"]
    if not isinstance(message, dict):
        return None
    return next((kind for field, kind in _FIELD_OF_KIND.items() if field in message), None)


def _kind_by_name(name: str) -> str | None:
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    kinds = [kind for word, kind in _WORD_OF_KIND.items() if word in words]
    return kinds[0] if len(kinds) == 1 else None
