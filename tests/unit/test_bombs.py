"""Small input that would become large: compressed, nested, or defined by itself."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pipeline import recording
from pipeline.recording import BadLine, Recording
from pipeline.topology.compose import Dump, reading
from pipeline.topology.model import TopologyError

MB = 1 << 20


def zeros_by_zstd(size: int) -> bytes:
    """Frames of blocks that repeat one byte: four bytes of input stand for 128 KiB each."""
    block = 128 * 1024
    head = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x38"  # no content size, a window of 128 KiB
    repeated = struct.pack("<I", (block << 3) | (1 << 1))[:3] + b"0"
    last = struct.pack("<I", (block << 3) | (1 << 1) | 1)[:3] + b"0"
    return head + repeated * (size // block - 1) + last


def zeros_by_gzip(size: int) -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1) as file:
        for _ in range(size // MB):
            file.write(b"0" * MB)
    return made.getvalue()


@pytest.mark.parametrize(("make", "size"), [(zeros_by_zstd, 256 * MB), (zeros_by_gzip, 64 * MB)])
def test_a_compressed_line_that_never_ends_takes_no_more_memory_than_the_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[int], bytes], size: int
) -> None:
    monkeypatch.setattr(recording, "MAX_LINE_BYTES", MB)
    path = tmp_path / "bomb.jsonl"
    path.write_bytes(make(size))
    assert path.stat().st_size < size // 200
    tracemalloc.start()
    try:
        (found,) = Recording(path, {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, BadLine)
    assert "longer than" in found.why
    assert peak < 48 * MB


def test_the_bomb_is_one() -> None:
    small = zeros_by_zstd(MB)
    assert zstandard.ZstdDecompressor().decompressobj().decompress(small) == b"0" * MB


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(12))


@pytest.mark.parametrize(
    "content",
    [
        f"<!DOCTYPE results [{LAUGHS}]><results><SERVICE_ENDPOINT>&l11;</SERVICE_ENDPOINT></results>",
        "<!DOCTYPE results [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><results><SITENAME>&f;</SITENAME></results>",
        "<results>" + "<a>" * 200_000,
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"sites": [' + "9" * 5000 + "]}",
        '{"a": 1}\n{"a": ' + "9" * 5000 + "}",
        '{"cern.ch": ["CERN\\ud800"]}',
    ],
)
def test_a_topology_that_grows_or_reads_files_is_refused(content: str) -> None:
    with pytest.raises(TopologyError) as refused:
        reading(Dump("hostile", content.encode()))
    assert "root:" not in str(refused.value)
