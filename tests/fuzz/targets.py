"""Everything that reads what others wrote: samples to begin with, and what may come of an input."""

from __future__ import annotations

import gzip
import inspect
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import zstandard
from pydantic import ValidationError

from consumers.bridge.mapping import Source, record_of
from consumers.kafka.records import raw_message
from consumers.stomp.frames import NotStomp, Splitter
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.settings import load
from pipeline.recording import BadLine, Recording
from pipeline.stages.decode import decode
from pipeline.topology.compose import Dump, compose, reading
from pipeline.topology.model import NO_FACTS, TopologyError
from pipeline.web import cursors, filters, parameters
from pipeline.web.problems import Problem
from schemas import topics
from schemas.deadletters import REASONS
from schemas.rules import Horizon
from tests.support.fts_messages import DAY, T, complete_fields, raw, start_fields, state_fields
from tests.support.xrootd_messages import PLAIN
from tests.support.xrootd_messages import SAMPLES as XROOTD_SAMPLES
from tests.unit.schemas.test_any_message import assert_fits, assert_storable
from tests.unit.schemas.test_any_queue_message import check_report

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data"
HORIZON = Horizon(raw_retention_ms=100 * 365 * DAY)
"""Samples are up to fifteen years old."""


class Target(NamedTuple):
    """A parser: ``read`` says what became of an input in a word or two, and raises nothing."""

    name: str
    samples: tuple[bytes, ...]
    read: Callable[[bytes], str]


def targets(folder: Path) -> tuple[Target, ...]:
    """All of them; ``folder`` is for those that read files."""
    return (
        *(Target(kind, tuple(samples), partial(_message, kind)) for kind, samples in _messages().items()),
        Target("stomp", _frames(), _stomp),
        Target("topology", _files("topology/*.json", "topology/*.jsonl", "topology/*.xml"), _topology),
        Target("recording", _lines("fts/samples.jsonl", "queue/samples.jsonl"), partial(_recording, folder)),
        Target("settings", tuple(_settings_samples()), partial(_settings, folder)),
        Target("query", _queries(), _query),
    )


def _files(*patterns: str) -> tuple[bytes, ...]:
    """The small ones: of a long file a few changes are felt no more often, and it takes longer."""
    found = [path.read_bytes() for pattern in patterns for path in sorted(DATA.glob(pattern))]
    return tuple(content for content in found if len(content) < 8000)


def _lines(*names: str) -> tuple[bytes, ...]:
    """Two neighbours of a recorded file make a sample."""
    lines = [
        line for name in names for line in (DATA / name).read_bytes().splitlines(keepends=True) if len(line) < 3000
    ]
    return tuple(map(b"".join, pairwise(lines)))


def _messages() -> dict[str, list[bytes]]:
    """Samples of each kind of message: the real ones, and a plain one."""
    found: dict[str, list[bytes]] = {
        topics.FTS_START: [*_files("fts/start*", "fts/draft_start*"), _json(start_fields())],
        topics.FTS_COMPLETE: [*_files("fts/complete*", "fts/draft_complete*"), _json(complete_fields())],
        topics.FTS_STATE: [_json(state_fields())],
        topics.FTS_QUEUE_STATUS: list(_files("queue/*queue*.json", "queue/draft*.json", "queue/several*.json")),
        topics.FTS_OPTIMIZER: list(_files("queue/optimizer*.json")),
        topics.XROOTD_SHOVELER: (DATA / "xrootd/shoveler_packets_2025.jsonl").read_bytes().splitlines(),
    }
    for name, kind in XROOTD_SAMPLES.items():
        found.setdefault(kind, []).append((DATA / "xrootd" / name).read_bytes())
    for kind, fields in PLAIN.items():
        found.setdefault(kind, []).append(_json(fields))
    return found


def _json(fields: Any) -> bytes:
    return json.dumps(fields).encode()


def _message(kind: str, body: bytes) -> str:
    decoded = decode([raw(kind, body)], HORIZON)
    for start in decoded.starts:
        assert_fits(start)
    for complete in decoded.completes:
        assert_fits(complete)
    for report in decoded.reports:
        check_report(report)
    for dead in decoded.dead:
        assert dead.reason in REASONS
        assert 0 < len(dead.detail) < 400
        assert_storable(dead.detail)
        return dead.reason
    return "read"


def _frames() -> tuple[bytes, ...]:
    body = _json(complete_fields())
    head = b"message-id:ID:mb1-1\nsubscription:0\ndestination:/queue/Consumer.x.transfer.fts_monitoring_complete\n"
    message = b"MESSAGE\n" + head + b"timestamp:1795312800000\ncontent-length:%d\n\n" % len(body) + body + b"\0\n"
    escaped = b"MESSAGE\r\n" + head.replace(b"\n", b"\r\n") + b"odd\\c:a\\nb\\\\\\r\r\n\r\n" + body + b"\0\n"
    other = b"CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0\nRECEIPT\nreceipt-id:1\n\n\0\n\n"
    return (message, escaped, other + message, message * 3 + b"ERROR\nmessage:no\n\nbecause\0\n")


_SOURCE = Source("mb1.example.org:61613", topics.FTS_COMPLETE, topics.FTS_COMPLETE, 8)


def _stomp(stream: bytes) -> str:
    """Through the bridge and Kafka to the worker; in three pieces, and the cuts follow from the input."""
    splitter, found, others = Splitter(), [], 0
    cut = len(stream) // 3
    for piece in (stream[:cut], stream[cut : cut * 2], stream[cut * 2 :]):
        try:
            frames = splitter.feed(piece)
        except NotStomp:
            return "not stomp"
        found += frames.messages
        others += len(frames.others)
    for delivery in found:
        record = record_of(delivery, _SOURCE, T)
        headers = [(name, text.encode() if isinstance(text, str) else text) for name, text in record.headers]
        message = raw_message(record.topic, 0, 0, T, record.value, headers)
        decoded = decode([message], HORIZON)
        for dead in decoded.dead:
            for name, text in dead.message.headers.items():
                (name + text).encode()
    return f"{min(len(found), 3)} messages" if found else "others" if others else "unfinished"


def _topology(content: bytes) -> str:
    try:
        composed = compose([reading(Dump("fuzz", content))], None, NO_FACTS, T, force=True)
    except TopologyError as refused:
        str(refused).encode()
        return "refused"
    for warning in composed.warnings:
        warning.encode()
    return "read"


_PACKED: tuple[Callable[[bytes], bytes], ...] = (
    bytes,
    bytes,
    bytes,
    partial(gzip.compress, compresslevel=1),
    zstandard.ZstdCompressor(level=1).compress,
)


def _recording(folder: Path, content: bytes) -> str:
    """As lines or as one message, plain or packed, whole or cut: which of them follows from the input."""
    packed = _PACKED[len(content) % len(_PACKED)](content)
    path = folder / ("one.json" if len(content) % 7 == 0 else "lines.jsonl")
    path.write_bytes(packed[: -5 if len(content) % 11 == 0 else None])
    read = bad = 0
    for message in Recording(path, topics.BROKER_TOPICS):
        if isinstance(message, BadLine):
            str(message).encode()
            bad += 1
        else:
            assert message.received_ms is None or message.received_ms > 0
            for name, text in message.headers.items():
                assert isinstance(name, str)
                assert isinstance(text, str)
            read += 1
    return f"{'some' if read else 'none'} read, {'some' if bad else 'none'} bad"


def _settings_samples() -> Iterator[bytes]:
    """The example with its settings switched on, three at a time, and its brokers."""
    example = (ROOT / "deploy/transferscope.example.toml").read_text(encoding="utf-8")
    settings, _, brokers = example.partition("[[broker]]")
    lines = [line.removeprefix("# ") for line in settings.splitlines() if " = " in line]
    for begin in range(0, len(lines), 3):
        yield "\n".join(lines[begin : begin + 3]).encode()
    yield "\n".join(["[[broker]]", *(line.removeprefix("# ") for line in brokers.splitlines())]).encode()


def _settings(folder: Path, content: bytes) -> str:
    path = folder / "fuzz.toml"
    path.write_bytes(content)
    try:
        load(path, {})
    except ConfigurationError as refused:
        str(refused).encode()
        return "refused"
    return "read"


_MODELS: Sequence[type[parameters.Form]] = tuple(
    model
    for _, model in sorted(inspect.getmembers(parameters, inspect.isclass))
    if issubclass(model, parameters.Form) and model.__module__ == parameters.__name__
)
_QUESTION = {"of": "links"}


def _queries() -> tuple[bytes, ...]:
    cursor = cursors.written(cursors.Cursor(T, (None, "x", 5, 0.5)), _QUESTION)
    return (
        b"from=now-24h&to=now&bin=auto&vo=atlas&vo=!cms&src=site:CERN-PROD&dst=country:DE&sort=-bytes&limit=50",
        b"from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00%2B01:00&bin=1h&by=src_site,dst_site&p=50,90,99.9",
        b"from=1795312800&to=1795399200000&src=host:a.x.org&dst=!b.y.org&format=csv&shape=objects&raw=true",
        b"from=now-7d&state=failed&min_size=10&template=x&transpose=1&top=5&rows=site&min_n=3&open=true&id=1",
        f"q=a&cursor={cursor}".encode(),
    )


def _query(text: bytes) -> str:
    """What a query string becomes before anything is asked of the store."""
    given: dict[str, Any] = parse_qs(text.decode(errors="replace"), keep_blank_values=True, max_num_fields=1000)
    model = _MODELS[len(text) % len(_MODELS)]
    fields = {field.alias or name: name for name, field in model.model_fields.items()}
    lists = {name for name, field in model.model_fields.items() if "list" in str(field.annotation).lower()}
    known = {name: values if fields[name] in lists else values[-1] for name, values in given.items() if name in fields}
    try:
        asked = model.model_validate(known)
        for what in _meanings(asked):
            repr(what)
    except (ValidationError, Problem) as refused:
        str(refused).encode(errors="surrogatepass")
        return "refused"
    return f"{model.__name__}"


def _meanings(asked: parameters.Form) -> Iterator[object]:
    if isinstance(asked, parameters.Timed):
        yield filters.span(asked.from_, asked.to, asked.bin, T)
    elif isinstance(begin := getattr(asked, "from_", None), str):
        yield filters.exact(begin, getattr(asked, "to", "now"), T + DAY)
    if isinstance(asked, parameters.Common):
        yield filters.conditions(asked, lambda _, name: len(name) % 2 == 0)
    if isinstance(asked, parameters.StagesParameters):
        yield filters.shares(asked.p)
    if isinstance(asked, parameters.Paged) and asked.cursor is not None:
        yield cursors.read(asked.cursor, _QUESTION)


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for ``targets``, in memory where there is such a place."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=shared if shared.is_dir() else None)
