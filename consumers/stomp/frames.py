"""STOMP frames in a stream of bytes: MESSAGE frames are taken out in bulk, all others are left to stomp.py.

stomp.py 9 spends 28 µs on a message, most of it on regular expressions over header lines that are then looked at once.
A bridge that moves bodies untouched needs the frame's borders and two or three headers: 4 µs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_HEAD_BYTES = 1 << 20
"""Command and headers of a frame are never larger than this: what is, does not speak STOMP."""

MAX_FRAME_BYTES = 1 << 27
"""ActiveMQ's own limit is 100 MiB; a frame of which more has to be held does not come from it."""

_LENGTH = b"\ncontent-length:"
_MAX_LENGTH_DIGITS = 15
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_ESCAPES = {rb"\r": b"\r", rb"\n": b"\n", rb"\c": b":", rb"\\": b"\\"}
_MESSAGE = (b"MESSAGE\n", b"MESSAGE\r")
_NAMES_KEPT = 1000


class NotStomp(Exception):
    """The other side does not speak STOMP."""


class Delivery(NamedTuple):
    """A MESSAGE frame: its headers, escapes undone but not decoded, and its body."""

    headers: dict[str, bytes]
    body: bytes


class Frames(NamedTuple):
    """What was complete: the messages in order, and the other frames, each with its closing NUL."""

    messages: list[Delivery]
    others: bytes


class Splitter:
    """Finds the frames of one connection in whatever pieces its bytes arrive.

    A body of many pieces is put together once, when its last piece is there.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = 0
        self._until_nul = False

    def feed(self, piece: bytes) -> Frames:
        """The frames that this piece completes. Raises NotStomp."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held < self._wanted or (self._until_nul and b"\0" not in piece):
            if self._held > MAX_FRAME_BYTES + MAX_HEAD_BYTES:
                raise NotStomp(f"{self._held} bytes without the end of a frame")
            return Frames([], b"")
        data = b"".join(self._pieces) if len(self._pieces) > 1 else piece
        messages, others, used = self._split(data)
        rest = data[used:]
        self._pieces = [rest] if rest else []
        self._held = len(rest)
        return Frames(messages, others)

    def _split(self, data: bytes) -> tuple[list[Delivery], bytes, int]:
        messages: list[Delivery] = []
        others = b""
        start, size = 0, len(data)
        self._wanted, self._until_nul = 0, False
        while True:
            while start < size and data[start] in b"\r\n":  # heart-beats, and what may follow a frame
                start += 1
            head_end, body_start = _blank_line(data, start)
            if head_end < 0:
                if size - start > MAX_HEAD_BYTES:
                    raise NotStomp(f"{size - start} bytes without the end of a frame's headers")
                return messages, others, start
            length = _length(data, start, head_end)
            if length is not None:
                end = body_start + length
                if end - start > MAX_FRAME_BYTES:
                    raise NotStomp(f"a frame of {end - start} bytes")
                if end >= size:
                    self._wanted = end + 1 - start
                    return messages, others, start
            else:
                end = data.find(b"\0", body_start)
                if end < 0:
                    self._until_nul = True
                    return messages, others, start
            if data.startswith(_MESSAGE, start):
                head = data[data.index(b"\n", start) + 1 : head_end]
                messages.append(Delivery(headers(head), data[body_start:end]))
            else:
                others += data[start : end + 1]
            start = end + 1


def _blank_line(data: bytes, start: int) -> tuple[int, int]:
    """Where the headers end and the body begins, -1 for both when that has not come yet. Lines end with LF or CR LF."""
    end = data.find(b"\n\n", start)
    with_cr = data.find(b"\n\r\n", start, end + 1 if end >= 0 else len(data))
    if with_cr >= 0:
        return with_cr, with_cr + 3
    return (end, end + 2) if end >= 0 else (-1, -1)


def _length(data: bytes, start: int, head_end: int) -> int | None:
    """The size of the body if the headers tell it; without that it ends at the first NUL."""
    found = data.find(_LENGTH, start, head_end)
    if found < 0:
        return None
    end = data.find(b"\n", found + len(_LENGTH), head_end)
    digits = data[found + len(_LENGTH) : end if end >= 0 else head_end].strip()
    if not digits.isdigit() or len(digits) > _MAX_LENGTH_DIGITS:
        raise NotStomp(f"a content-length of {digits[:40]!r}")
    return int(digits)


class _Names(dict[bytes, str]):
    """Names repeat from message to message: each is decoded once, unless somebody sends ever new ones."""

    def __missing__(self, raw: bytes) -> str:
        name = _unescape(raw).decode(errors="replace")
        if len(self) < _NAMES_KEPT:
            self[raw] = name
        return name


_names = _Names()


def headers(head: bytes) -> dict[str, bytes]:
    """The header lines of a frame. Of a header that is repeated the first counts (STOMP 1.2)."""
    lines = (head.replace(b"\r", b"") if b"\r" in head else head).split(b"\n")
    pairs = [line.partition(b":") for line in lines]
    found = {_names[raw]: value if b"\\" not in value else _unescape(value) for raw, _, value in pairs}
    if len(found) < len(pairs):
        found = {_names[raw]: _unescape(value) for raw, _, value in reversed(pairs)}
    found.pop("", None)
    return found


def _unescape(value: bytes) -> bytes:
    if value.count(b"\\") == value.count(rb"\c"):  # all that message-ids need
        return value.replace(rb"\c", b":")
    return _ESCAPE.sub(_unescaped, value)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(match[0], match[0])
