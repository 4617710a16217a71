"""Bytes of a file or dump taken apart: JSON that says everything once, XML that cannot blow up, times, host names."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pipeline.topology.model import BEGIN_MS, END_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|(?=.*:.*:)[0-9a-f:.]+")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a pair, perhaps a lone one, which nothing can store."""
_DEEPEST = 100
"""Levels of an XML dump; real ones have eight."""


class Wrong(Exception):
    """Something wrong in a file, in words that still lack the file's name."""


def json_value(content: bytes) -> Any:
    """The value of a JSON text. Raises Wrong for what is not one, for a key given twice, and for text that cannot be
    stored."""
    if not content.strip():
        raise Wrong("it is empty: write it again")
    try:
        value = json.loads(content, object_pairs_hook=_object)
        if _HALF.search(content):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError as error:
        raise Wrong(f"it has half a character, {error.object[error.start]!a}: write the whole of it") from error
    except UnicodeDecodeError as error:
        raise Wrong(f"byte {error.start} is not UTF-8: save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        fault = f"it is not complete JSON: line {error.lineno} column {error.colno}: {lower_first(error.msg)}"
        raise Wrong(fault) from error
    except ValueError as error:
        raise Wrong("it has a number of thousands of digits, which no topology needs") from error
    except RecursionError as error:
        raise Wrong("it is nested too deeply to be a topology") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The parser would keep the last of two equal keys and lose the other without a word.
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Wrong(f'the key "{twice}" stands twice in one object: join the two')
    return members


def xml_root(content: bytes) -> Element:
    """The root element of an XML text without a document type.

    Entities can be declared in a document type only, and no dump has one: where it begins, reading ends, so nothing is
    ever expanded or fetched, whatever the version of expat. Raises Wrong.
    """
    parser = expat.ParserCreate()
    builder = TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise Wrong("it is nested too deeply to be a topology")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: object) -> None:
        raise Wrong("it has a document type, which could declare entities: no dump of a topology needs one")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Wrong(f"it is not complete XML: {error}") from error
    return builder.close()


def lower_first(text: str) -> str:
    """A sentence's beginning in the middle of another."""
    return text[:1].lower() + text[1:]


def is_host(name: str) -> bool:
    """Whether a text in lower case is a bare host or domain name, or an IPv6 address."""
    return _HOST.fullmatch(name) is not None


def time_ms(text: str) -> int:
    """ms since the epoch of an ISO 8601 time, UTC if it has no offset. Raises ValueError."""
    time = datetime.fromisoformat(text)
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return min(max((aware - _EPOCH) // timedelta(milliseconds=1), BEGIN_MS), END_MS)


def iso(ms: int) -> str:
    """The instant as ISO 8601 in UTC."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")
