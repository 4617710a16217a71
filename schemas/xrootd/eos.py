"""EOS report records: ``k=v&k=v``, as text in ``data`` (2017) or alone, or taken apart, with ``eos.`` before the names
(2019) or, later that year, without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import XROOTD, Complete
from schemas.framing import strip_frame
from schemas.rules import Horizon, byte_count
from schemas.xrootd.access import Access, access_complete, full_host, instant, said, vo_of

NAMES: dict[str, tuple[str, str, str]] = {
    name: (name, f"eos.{name}", changed)
    for name, changed in {
        "host": "eos_host",
        "path": "eos_path",
        "ots": "ots",
        "otms": "otms",
        "cts": "cts",
        "ctms": "ctms",
        "rb": "rb",
        "wb": "wb",
        "csize": "csize",
        "td": "td",
        "sec.host": "sec_host",
        "sec.vorg": "sec_vorg",
        "sec.info": "sec_info",
        "sec.name": "sec_name",
    }.items()
}
"""Every field that is read, and what it is called in the three shapes."""

_MARKS = tuple((name, f"&{name}=") for name in NAMES)


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The event of a report record: the client read ``rb`` or wrote ``wb`` bytes. Raises Malformed."""
    fields = _fields(message.body)
    shape = 1 if "eos.cts" in fields else 2 if "eos_host" in fields else 0

    def field(name: str) -> Any:
        return fields.get(NAMES[name][shape])

    path, vo, td = cleaning.text(field("path")), field("sec.vorg"), cleaning.text(field("td"))
    trace, _, traced_host = td.partition("@")
    access = Access(
        full_host(field("host"), ""),
        full_host(said(field("sec.host")) or traced_host, ""),
        said(field("sec.info")) or said(field("sec.name")) or trace.partition(".")[0],
        vo_of(vo, message.topic, path),
        path,
        _instant(field("ots"), field("otms"), "ots"),
        _instant(field("cts"), field("ctms"), "cts"),
        byte_count(field("rb"), "rb"),
        0,
        byte_count(field("wb"), "wb"),
        0,
        cleaning.size(field("csize")),
    )
    return [access_complete(access, XROOTD, message, horizon)]


def _fields(body: bytes) -> Mapping[str, Any]:
    text = strip_frame(body)
    if text[:1] != b"{" and b"=" in text:
        fields = _taken_apart(cleaning.storable(text.decode("utf-8", "replace")))
        if not fields:
            raise Malformed("not_json", "neither JSON nor name=value pairs of a report")
        return fields
    found = cleaning.decode_fields(body)
    data = found.get("data")
    return _taken_apart(data) if isinstance(data, str) else found


def _taken_apart(report: str) -> dict[str, str]:
    """The pairs that are read, each looked for by itself: a report has four times as many."""
    text = "&" + report.strip().strip('"')
    fields = {}
    for name, mark in _MARKS:
        at = text.rfind(mark)
        if at >= 0:
            begin = at + len(mark)
            end = text.find("&", begin)
            fields[name] = text[begin:end] if end >= 0 else text[begin:]
    return fields


def _instant(seconds: object, ms: object, field: str) -> object:
    """Seconds with the ms that stand in a field of their own; what is no such pair is left to the reading of times."""
    begin = instant(seconds, field)
    if begin is None or begin % 1000:
        return begin
    rest = cleaning.size(ms)
    return begin + rest if rest is not None and rest < 1000 else begin
