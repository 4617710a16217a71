"""What all xrootd formats come down to: an ``Access``, and the rules that make a ``Complete`` of it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import INTERVAL_USED, OK, READ, UNKNOWN_DIRECTION, WRITE, Complete, Side
from schemas.hosts import UNKNOWN, host_name
from schemas.keys import hash64
from schemas.rules import Horizon, byte_count, duration, interval, time_field, within
from schemas.xrootd.shoveler import refuse_envelope_in

_LONGEST_REMEMBERED = 300
_NO_WORD = frozenset({"", "unknown", "null", "none", "novo", "-"})
"""How producers write that they do not know: GLED nothing, MONIT ``unknown``, collectors ``NULL`` and ``noVO``."""
_EXPERIMENTS = frozenset({"alice", "atlas", "cms", "lhcb"})
_TOPIC_WORDS = re.compile(r"[^a-z0-9]+")
_VO_OF_WORD = {"fax": "atlas", "uscms": "cms"}


class Access(msgspec.Struct, gc=False):
    """A file access as its record tells it; hosts by ``full_host``, text ``""`` where nothing is said.

    ``start`` and ``end`` are as on the wire, byte figures as counted while the file was open and as told at its close.
    """

    server: str
    client: str
    user: str
    vo: str
    path: str
    start: object
    end: object
    read: int = 0
    read_at_close: int = 0
    write: int = 0
    write_at_close: int = 0
    file_size: int | None = None
    protocol: str = ""
    ipver: str = ""


class Ends(msgspec.Struct, gc=False):
    """Which way the bytes of a record went, and how many they are."""

    src: Side
    dst: Side
    direction: str
    bytes: int


def access_complete(access: Access, technology: str, message: RawMessage, horizon: Horizon) -> Complete:
    """The event of a file access: read goes from server to client, else write the other way (semantics.md, Link).

    A record with both counts as read, one with neither is of unknown direction and goes as if read. Raises Malformed.
    """
    read = max(access.read, access.read_at_close)
    write = max(access.write, access.write_at_close)
    server, client = Side(access.server, access.path, "", ""), Side(access.client, "", "", "")
    if read:
        ends = Ends(server, client, READ, read)
    elif write:
        ends = Ends(client, server, WRITE, write)
    else:
        ends = Ends(server, client, UNKNOWN_DIRECTION, 0)
    return complete(access, ends, technology, message, horizon)


def complete(
    access: Access, ends: Ends, technology: str, message: RawMessage, horizon: Horizon, error_code: str = ""
) -> Complete:
    """The event of a record whose ends are known. Event time is the end time. Raises Malformed.

    The key is the dedupe identity: no start ever belongs to a record, and its copies share a shard.
    """
    start = instant(access.start, "start time")
    end = instant(access.end, "end time")
    if end is None:
        refuse_envelope_in(message.body)
        raise Malformed("no_time", "the record has no end time")
    received_ms = within(end, message.received_ms, horizon)
    streaming = duration(start, end)
    use = interval(start, end, end, horizon.raw_floor_ms)
    used = use == INTERVAL_USED and start is not None
    identity = hash64(
        f"{technology}\0{access.server}\0{access.client}\0{access.user}\0{access.path}\0{start}\0{end}"
        f"\0{access.read}\0{access.read_at_close}\0{access.write}\0{access.write_at_close}"
    )
    return Complete(
        identity,
        end // 1000,
        "",
        "",
        "",
        "",
        "",
        access.vo,
        "unknown",
        "",
        ends.src,
        ends.dst,
        end,
        received_ms,
        message.topic,
        message.ref,
        identity,
        OK,
        ends.bytes,
        access.file_size,
        start,
        True,
        use,
        start if used and start is not None else 0,
        end if used else 0,
        (streaming, None, None, None, None, None, ends.bytes * 1000 // streaming if streaming else None),
        "",
        access.protocol,
        access.ipver,
        "",
        "",
        "",
        error_code,
        "",
        None,
        None,
        technology,
        ends.direction,
        access.user,
    )


def full_host(host: object, domain: object) -> str:
    """A link's host: a short one gets its domain behind it, unless it has a dot (or is an IPv6 address)."""
    name, behind = cleaning.text(host), cleaning.text(domain)
    if len(name) + len(behind) > _LONGEST_REMEMBERED:
        return _full_host(name, behind)
    return _remembered_host(name, behind)


def _full_host(name: str, behind: str) -> str:
    short = host_name(name)
    if short == UNKNOWN or "." in short or ":" in short:
        return short
    behind = behind.lower().strip(".")
    return short if behind in _NO_WORD else f"{short}.{behind}"


_remembered_host = lru_cache(maxsize=65536)(_full_host)


def said(value: object) -> str:
    """Text that says something: ``""`` for the words by which producers say that they do not know."""
    word = cleaning.text(value)
    return "" if word.lower() in _NO_WORD else word


def vo_of(vo: object, topic: str, path: str) -> str:
    """The VO that the record names (its first word: collectors repeat it), else its topic's, else its path's."""
    words = said(vo).split(None, 1)
    if words and words[0].lower() not in _NO_WORD:
        return words[0]
    return _vo_of_topic(topic) or vo_of_path(path)


@lru_cache(maxsize=256)
def _vo_of_topic(topic: str) -> str:
    return next((_VO_OF_WORD[word] for word in _TOPIC_WORDS.split(topic.lower()) if word in _VO_OF_WORD), "")


def vo_of_path(path: str) -> str:
    """``/store/…`` is of cms, ``/atlas/…`` of atlas, ``/eos/VO/…`` of an LHC experiment; else unknown."""
    first, _, rest = path.lstrip("/").partition("/")
    if first == "store":
        return "cms"
    if first == "atlas":
        return "atlas"
    if first == "eos":
        second = rest.partition("/")[0]
        return second if second in _EXPERIMENTS else UNKNOWN
    return UNKNOWN


def both(one: object, other: object, field: str) -> int:
    """The sum of two byte figures, itself one. Raises Malformed ``bad_bytes``."""
    return byte_count(byte_count(one, field) + byte_count(other, field), field)


def ipver(ipv6: object) -> str:
    """Only a true ``ipv6`` says something: producers send false as well when they do not know."""
    return "ipv6" if ipv6 is True or ipv6 == "true" else ""


def instant(value: object, field: str) -> int | None:
    """ms of a wire time, as ``time_field``. Raises Malformed ``bad_time``."""
    # Whole seconds are what nearly all records send; time_field reads the rest, a microsecond or three slower.
    if type(value) is int and 10**9 <= value < 10**10:
        return value * 1000
    if type(value) is str and len(value) == 10 and value.isdecimal() and value.isascii() and value[0] != "0":
        return int(value) * 1000
    return time_field(value, field)


Wire = Any
"""A value of any JSON type: cleaning decides what it is worth."""
