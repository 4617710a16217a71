"""Recorded messages in files: each line a message or a bad line with its place, nothing lost in silence."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pipeline import recording
from pipeline.recording import BadLine, Recording
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE, FTS_START

START = "transfer.fts_monitoring_start"
COMPLETE = "transfer.fts_monitoring_complete"
LINE = json.dumps({"topic": COMPLETE, "body": "{}\x04", "headers": {"message-id": "a"}, "received": 1795311600000})


def read(path: Path, topic: str | None = None) -> list[RawMessage | BadLine]:
    return list(Recording(path, BROKER_TOPICS, topic))


def written(folder: Path, content: bytes | str, name: str = "recorded") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def message(path: Path, topic: str | None = None) -> RawMessage:
    (found,) = read(path, topic)
    assert isinstance(found, RawMessage)
    return found


def bad(path: Path) -> BadLine:
    (found,) = read(path)
    assert isinstance(found, BadLine)
    return found


def test_a_line_is_a_message_with_its_place_and_the_hash_of_its_file(tmp_path: Path) -> None:
    path = written(tmp_path, LINE + "\n")
    assert message(path) == RawMessage(
        kind=FTS_COMPLETE,
        topic=COMPLETE,
        body=b"{}\x04",
        headers={"message-id": "a"},
        received_ms=1795311600000,
        ref=f"{path}:1",
        identity=f"{hashlib.sha256(path.read_bytes()).hexdigest()}:1",
    )


def test_bytes_that_are_not_text_come_as_base64(tmp_path: Path) -> None:
    line = json.dumps({"topic": START, "body_base64": base64.b64encode(b"\xff\x00").decode()})
    found = message(written(tmp_path, line))
    assert (found.kind, found.body, found.headers, found.received_ms) == (FTS_START, b"\xff\x00", {}, None)


def test_header_values_that_are_no_text_become_text(tmp_path: Path) -> None:
    line = json.dumps({"topic": START, "body": "", "headers": {"expires": 0, "persistent": True}})
    assert message(written(tmp_path, line)).headers == {"expires": "0", "persistent": "true"}


@pytest.mark.parametrize(
    "compress",
    [lambda data: data, gzip.compress, lambda data: zstandard.ZstdCompressor().compress(data)],
    ids=["plain", "gzip", "zstd"],
)
def test_a_file_may_be_compressed_and_is_known_by_its_first_bytes(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    content = f"{LINE}\n\n{LINE}".encode()
    found = read(written(tmp_path, compress(content) + compress(b"\n" + content)))
    assert [item.ref.rpartition(":")[2] for item in found if isinstance(item, RawMessage)] == ["1", "3", "4", "6"]


@pytest.mark.parametrize(
    "compress", [gzip.compress, lambda data: zstandard.ZstdCompressor().compress(data)], ids=["gzip", "zstd"]
)
def test_a_compressed_file_that_was_cut_is_reported_after_what_it_holds(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    lines = "".join(f'{LINE[:-1]}, "n": {n * 7919 % 10007}}}\n' for n in range(20_000))
    whole = compress(lines.encode())
    found = read(written(tmp_path, whole[: len(whole) // 2]))
    assert isinstance(found[-1], BadLine)
    assert "cannot be read on" in found[-1].why
    assert found[-1].line == len(found)
    assert all(isinstance(item, RawMessage) for item in found[:-1])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ("{}", "names no topic"),
        ('{"topic": 1, "body": ""}', "the topic 1 is not one of"),
        ('{"topic": "transfer.other", "body": ""}', "the topic 'transfer.other' is not one of"),
        (f'{{"topic": "{START}"}}', "either body or body_base64"),
        (f'{{"topic": "{START}", "body": {{}}}}', "either body or body_base64"),
        (f'{{"topic": "{START}", "body": "", "body_base64": ""}}', "either body or body_base64"),
        (f'{{"topic": "{START}", "body_base64": "?"}}', "not base64"),
        (f'{{"topic": "{START}", "body": "", "headers": []}}', "headers is not an object"),
        (f'{{"topic": "{START}", "body": "", "received": "soon"}}', "received"),
        (f'{{"topic": "{START}", "body": "\\ud800"}}', "not JSON"),
    ],
)
def test_a_bad_line_is_told_with_its_place_and_the_rest_goes_on(tmp_path: Path, line: str, why: str) -> None:
    path = written(tmp_path, f"{LINE}\n{line}\n{LINE}\n")
    first, second, third = read(path)
    assert isinstance(first, RawMessage)
    assert isinstance(third, RawMessage)
    assert isinstance(second, BadLine)
    assert str(second).startswith(f"{path}:2: ")
    assert why in second.why


def test_bytes_that_are_not_utf8_in_a_line_are_a_bad_line(tmp_path: Path) -> None:
    path = written(tmp_path, LINE.encode() + b"\n" + LINE.encode().replace(b"{}", b"\xff\xfe"))
    assert [type(item) for item in read(path)] == [RawMessage, BadLine]


def test_a_line_that_is_too_long_is_skipped_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_LINE_BYTES", 1000)
    path = written(tmp_path, f"{LINE}\n{LINE[:-1]}{' ' * 3000}}}\n{LINE}\n")
    found = read(path)
    assert [type(item) for item in found] == [RawMessage, BadLine, RawMessage]
    assert isinstance(found[2], RawMessage)
    assert found[2].ref == f"{path}:3"


def test_a_name_of_json_lines_makes_every_line_count(tmp_path: Path) -> None:
    found = read(written(tmp_path, '{"tr_id": 1}\n{"transfer_id": 2}\n', "complete.jsonl.gz"))
    assert [item.line for item in found if isinstance(item, BadLine)] == [1, 2]


class TestOneMessage:
    @pytest.mark.parametrize(
        ("name", "body", "topic"),
        [
            ("x.json", '{\n "tr_id": "a"\n}', COMPLETE),
            ("x.json", ' {"transfer_id": "a"}\x04', START),
            ("x.json", '{"data": {"tr_id": "a"}, "metadata": {}}', COMPLETE),
            ("start.json", '{"tr_id": "a"}', COMPLETE),
            ("fts_start_2012.json", '{"transfer_id": "a" // comment\n}', START),
            ("FTS-COMPLETE.txt", "", COMPLETE),
            ("x.json", '{"fts_id": "x", "time": "1", "vo": {}, "vo": {}}', "transfer.fts_monitoring_queue_status"),
            ("draft_queue_2011.json", '{"fts_id": "x" // comment\n}', "transfer.fts_monitoring_queue_status"),
            ("x.json", '{"source_se": "davs://a", "timestamp": 1}', "transfer.fts_monitoring_queue_state"),
            ("optimizer.json", "{", "transfer.fts_monitoring_queue_state"),
        ],
    )
    def test_its_kind_is_told_by_its_fields_else_by_its_name(
        self, tmp_path: Path, name: str, body: str, topic: str
    ) -> None:
        path = written(tmp_path, body, name)
        found = message(path)
        assert (found.topic, found.body, found.headers, found.received_ms) == (topic, body.encode(), {}, None)
        assert found.ref == f"{path}:1"

    def test_the_user_can_say_what_it_is(self, tmp_path: Path) -> None:
        assert message(written(tmp_path, '{"tr_id": "a"}'), START).kind == FTS_START

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("fts_rejected.json", '{"time": "1"}'),
            ("start_queue.json", "no json"),
            ("starter_completed.json", "no json"),
            ("start_complete.json", "no json"),
            ("x.json", "[]"),
        ],
    )
    def test_one_that_cannot_be_told_is_reported_with_what_to_say(self, tmp_path: Path, name: str, body: str) -> None:
        path = written(tmp_path, body, name)
        assert str(bad(path)).startswith(f"{path}: neither its fields nor its name")
        assert "--topic" in bad(path).why


def test_a_file_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    assert "cannot be read on" in bad(tmp_path / "none").why
