"""From bytes of unknown quality to typed values: framing, broken UTF-8, text that Postgres cannot hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar

import msgspec

from schemas.deadletters import Malformed
from schemas.framing import strip_frame

_NUL = b"\\u0000"
_MAX_BIGINT = 2**63 - 1
_decode_any: Callable[[bytes], Any] = msgspec.json.Decoder().decode


class HasData(Protocol):
    """A wire struct with the ``data`` of the MONIT envelope."""

    data: Any
    __struct_fields__: ClassVar[tuple[str, ...]]


W = TypeVar("W", bound=HasData)


def decode_object(body: bytes, decode: Callable[[bytes], W], wire_type: type[W]) -> W:
    """A body as its wire struct, out of the MONIT envelope if it lies in one.

    The typed decoder is the fast path. What it refuses is tried again the slow way: bytes that are not UTF-8 become
    U+FFFD, as do NUL and lone surrogates (Postgres text holds neither), and a body that does not parse is tried
    once without its last byte, which FTS adds. Raises Malformed: empty, not_json, too_deep, not_object.
    """
    data = strip_frame(body)
    if not data:
        raise Malformed("empty")
    try:
        try:
            wire = decode(data) if _NUL not in data else _decode_slowly(data, wire_type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            wire = _decode_slowly(data, wire_type)
        return wire if wire.data is None else _unwrap(wire, wire_type)
    except RecursionError:
        raise Malformed("too_deep") from None


def decode_fields(body: bytes) -> dict[str, Any]:
    """A body as its fields, for formats whose names no struct can have. As ``decode_object`` in all else."""
    data = strip_frame(body)
    if not data:
        raise Malformed("empty")
    try:
        try:
            return _fields(_decode_any(data)) if _NUL not in data else _fields_slowly(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _fields_slowly(data)
    except RecursionError:
        raise Malformed("too_deep") from None


def text(value: object) -> str:
    """Text without white space around it; numbers as they print; ``""`` for everything else."""
    if type(value) is str:
        return value.strip()
    if type(value) is int or type(value) is float:
        return str(value)
    return ""


def size(value: object) -> int | None:
    """A whole number from 0 to 2^63 - 1, from number or decimal text; ``None`` for everything else.

    For what is only shown: FTS sends -1 for "unset" and unsigned numbers that wrapped around.
    """
    if type(value) is int:
        return value if 0 <= value <= _MAX_BIGINT else None
    if type(value) is str:
        digits = value.strip().partition(".")[0]
        return size(int(digits)) if digits.isdecimal() and len(digits) < 20 else None
    if type(value) is float and value.is_integer():
        return size(int(value))
    return None


def storable(said: str) -> str:
    """Text that Postgres takes: NUL and lone surrogates, which it cannot hold, become U+FFFD."""
    return said.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unwrap(wire: W, wire_type: type[W]) -> W:
    return _convert(wire.data, wire_type) if isinstance(wire.data, dict) else wire


def _fields(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("not_object", f"a JSON {type(value).__name__} where an object is expected")
    inner = value.get("data")
    return inner if isinstance(inner, dict) else value


def _fields_slowly(data: bytes) -> dict[str, Any]:
    return {name: _cleaned(said) for name, said in _fields(load(data)).items()}


def _decode_slowly(data: bytes, wire_type: type[W]) -> W:
    value = load(data)
    if not isinstance(value, dict):
        raise Malformed("not_object", f"a JSON {type(value).__name__} where an object is expected")
    return _convert(value, wire_type)


def load(data: bytes, object_of: Callable[[list[tuple[str, Any]]], Any] | None = None) -> object:
    """What a body without its frame holds, read the slow way; ``object_of`` makes an object of its pairs.

    Raises Malformed not_json, and RecursionError where it is nested too deeply.
    """
    decoded = data.decode("utf-8", "replace")
    try:
        return _load(decoded, object_of)
    except ValueError as error:
        try:
            return _load(decoded[:-1], object_of)
        except ValueError:
            raise Malformed("not_json", f"not JSON: {error}") from None


def _load(decoded: str, object_of: Callable[[list[tuple[str, Any]]], Any] | None) -> object:
    return json.loads(decoded, parse_constant=_refuse_constant, object_pairs_hook=object_of)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _convert(value: dict[str, Any], wire_type: type[W]) -> W:
    """The fields that the struct names, their text storable; the others are skipped, as the typed decoder does."""
    cleaned = {name: _cleaned(value[name]) for name in wire_type.__struct_fields__ if name in value}
    metadata = cleaned.get("file_metadata")
    if isinstance(metadata, dict):
        # Names too: msgspec raises for half a character in one, also where nobody asks for it.
        cleaned["file_metadata"] = {storable(name): _cleaned(item) for name, item in metadata.items()}
    elif not isinstance(metadata, str):
        cleaned["file_metadata"] = None
    return msgspec.convert(cleaned, wire_type)


def _cleaned(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value
