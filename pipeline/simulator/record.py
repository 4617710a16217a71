"""Messages into a file that ``transferscope replay`` reads: one JSON line each, plain, gzip or zstd by its name."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import orjson
import zstandard

from pipeline.simulator.simulation import SimMessage


def write_jsonl(simulation: Iterable[SimMessage], path: Path) -> int:
    """Write the messages in their order and return how many; ``path`` may end in ``.gz`` or ``.zst``.

    Raises OSError when the file cannot be written.
    """
    written = 0
    with _open(path) as out:
        for message in simulation:
            out.write(_line(message))
            written += 1
    return written


def _line(message: SimMessage) -> bytes:
    record: dict[str, object] = {"topic": message.topic}
    try:
        record["body"] = message.body.decode()
    except UnicodeDecodeError:
        record["body_base64"] = b64encode(message.body).decode()
    record |= {"headers": message.headers, "received": message.received_ms}
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


class _Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


@contextmanager
def _open(path: Path) -> Iterator[_Sink]:
    if path.suffix == ".gz":
        # No time and no name inside: the same simulation gives the same file.
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:
            yield out
    elif path.suffix == ".zst":
        with path.open("wb") as raw, zstandard.ZstdCompressor(level=3).stream_writer(raw) as out:
            yield out
    else:
        with path.open("wb") as out:
            yield out
