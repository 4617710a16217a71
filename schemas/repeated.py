"""JSON objects of which no key is lost when it repeats, as the queue status of 2011 repeats ``vo`` and ``channel``.

The typed decoders keep the last of equal keys, so these bodies are read by Python's own: some ten microseconds a link,
for a message every ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.framing import strip_frame


class Fields:
    """The keys and values of an object in their order, all of them."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self._pairs = pairs

    def __repr__(self) -> str:
        return "{…}"

    def last(self, name: str) -> Any:
        """The last value of a key, as everywhere else; None when it is not there."""
        return next((value for key, value in reversed(self._pairs) if key == name), None)

    def every(self, *names: str) -> Iterator[Any]:
        """All values of some keys in their order, those in a list one by one; ``null`` and ``""`` are none."""
        for key, value in self._pairs:
            if key in names:
                for each in value if isinstance(value, list) else (value,):
                    if each is not None and each != "":
                        yield each


def decode_fields(body: bytes) -> Fields:
    """A body as an object with all of its keys, out of the MONIT envelope if it lies in one.

    Raises Malformed: empty, not_json, too_deep, not_object.
    """
    data = strip_frame(body)
    if not data:
        raise Malformed("empty")
    try:
        value = cleaning.load(data, Fields)
    except RecursionError:
        raise Malformed("too_deep") from None
    if not isinstance(value, Fields):
        raise Malformed("not_object", f"a JSON {type(value).__name__} where an object is expected")
    inner = value.last("data")
    return inner if isinstance(inner, Fields) else value


def said(value: object) -> str:
    """Text as ``cleaning.text`` gives it, and as Postgres takes it."""
    text = cleaning.text(value)
    return text if text.isprintable() else cleaning.storable(text)
