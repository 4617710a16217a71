"""The transfer key: which messages tell of the same transfer (semantics.md, Identity and join).

The key is text so that it can be Kafka's message key; its shard decides the Kafka partition and the advisory lock,
and its two-number form is what the store indexes.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from schemas.framing import strip_frame
from schemas.topics import SHARDS

_FTS3_ID = re.compile(r"\d{4}-\d{2}-\d{2}-\d{4}__.+__(\d+)__([^_].*)", re.DOTALL)
_DATED_ID = re.compile(r"(?:.*__)?(\d{4})-(\d{2})-(\d{2})-(\d{4})")
_SIGN = 1 << 63
_WRAP = 1 << 64


def transfer_key(job_id: str, file_id: str, transfer_id: str) -> str:
    """The transfer key as text, ``""`` when the message has nothing to make it of.

    Arguments are cleaned text, ``""`` where absent. (job, file) when both are there; else both taken from an FTS3
    id, whose minute stamp differs between start and complete and so is left out; else the whole id.
    """
    if job_id and file_id:
        return f"{file_id}__{job_id}"
    match = _FTS3_ID.fullmatch(transfer_id)
    if match:
        return f"{match[1]}__{match[2]}"
    return transfer_id


def hash64(text: str) -> int:
    """A stable 64-bit hash as the signed number that fits a Postgres ``bigint``."""
    value = xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
    return value - _WRAP if value >= _SIGN else value


def shard_of(key_hash: int) -> int:
    """The shard, 0 to SHARDS - 1, of a key's ``hash64``."""
    return key_hash & (SHARDS - 1)


def partition_of(key: str, partitions: int) -> int:
    """The Kafka partition of a key: writers whose partitions differ then share no shard.

    Holds whenever ``partitions`` divides SHARDS; for other counts writers only wait for each other now and then.
    """
    return shard_of(hash64(key)) % partitions


def key_order(key: str) -> int:
    """A number that rises with time for real keys, so that an index on it is written at one end.

    FTS counts ``file_id`` upwards; ids of 2011 hold their date and minute. Others give 0.
    """
    head = key.partition("__")[0]
    if head.isdecimal() and len(head) <= 18:
        return int(head)
    match = _DATED_ID.match(key)
    return int("".join(match.groups())) if match else 0


class _Ids(msgspec.Struct):
    job_id: Any = None
    file_id: Any = None
    transfer_id: Any = None
    tr_id: Any = None
    data: Any = None


_IDS = msgspec.json.Decoder(_Ids)


def id_text(value: object) -> str:
    """An id as text: numbers and text alike, ``""`` for anything that is not one."""
    if type(value) is str:
        return value.strip()
    if type(value) is int:
        return str(value)
    if type(value) is float and value.is_integer():
        return str(int(value))
    return ""


def routing_key(body: bytes) -> str:
    """The transfer key of a body that nobody has parsed yet, ``""`` when it cannot be told.

    Used to place a message in its Kafka partition; a wrong or missing key costs waiting, never a wrong pair.
    """
    try:
        ids = _IDS.decode(strip_frame(body))
        if isinstance(ids.data, dict):
            ids = msgspec.convert(ids.data, _Ids)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return transfer_key(id_text(ids.job_id), id_text(ids.file_id), id_text(ids.transfer_id) or id_text(ids.tr_id))
