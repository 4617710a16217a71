"""Values of a stack as JSON: in its files and on its socket."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def encode(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value, enc_hook=os.fspath)


def decode(text: bytes, kind: type[T]) -> T:
    """Raises msgspec.DecodeError (ValidationError is one) for anything else."""
    return msgspec.json.decode(text, type=kind, dec_hook=_path)


def write(path: Path, value: msgspec.Struct) -> None:
    """All or nothing, and for the owner's eyes only."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(encode(value), indent=2))
    os.replace(name, path)


def read(path: Path, kind: type[T]) -> T | None:
    """None when there is no such file or it is of another version."""
    try:
        return decode(path.read_bytes(), kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _path(kind: type, value: Any) -> Any:
    if kind is not Path:
        raise NotImplementedError
    return Path(value)
