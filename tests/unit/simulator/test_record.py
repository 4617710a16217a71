"""Recorded files: one JSON line a message, plain or compressed, the body byte for byte."""

from __future__ import annotations

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.simulator import SimMessage, simulate, write_jsonl

T = 1_795_312_800_000


def lines_of(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    elif path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
    return [json.loads(line) for line in raw.splitlines()]


@pytest.mark.parametrize("name", ["plain.jsonl", "packed.jsonl.gz", "packed.jsonl.zst"])
def test_every_message_is_a_line_with_its_body_untouched(name: str, tmp_path: Path) -> None:
    simulation = simulate(2000, seed=1, begin_ms=T)
    path = tmp_path / name
    assert write_jsonl(simulation, path) == 2000
    lines = lines_of(path)
    for line, message in zip(lines, simulation, strict=True):
        encoded = line.get("body_base64")
        body = line["body"].encode() if encoded is None else base64.b64decode(encoded)
        assert (line["topic"], body, line["headers"], line["received"]) == message
    assert {len(line) for line in lines} == {4}
    assert any("body_base64" in line for line in lines)


def test_the_same_simulation_gives_the_same_compressed_file(tmp_path: Path) -> None:
    first, second = tmp_path / "1.jsonl.gz", tmp_path / "2.jsonl.gz"
    for path in (first, second):
        write_jsonl(simulate(200, seed=1, begin_ms=T), path)
    assert first.read_bytes() == second.read_bytes()


def test_only_a_body_that_is_not_utf8_is_encoded(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    write_jsonl([SimMessage("t", b"\xe9", {}, 1), SimMessage("t", "é\x04".encode(), {"a": "b"}, 2)], path)
    assert lines_of(path) == [
        {"topic": "t", "body_base64": "6Q==", "headers": {}, "received": 1},
        {"topic": "t", "body": "é\x04", "headers": {"a": "b"}, "received": 2},
    ]
