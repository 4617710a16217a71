"""The bytes around a body: FTS ended each with 0x04 until 3.6.0 and with a space since; 2012's begin with one."""

from __future__ import annotations

_FRAME = b" \t\r\n\x00\x04"


def strip_frame(body: bytes) -> bytes:
    """The body without white space, NUL and 0x04 at either end."""
    return body.strip(_FRAME)
