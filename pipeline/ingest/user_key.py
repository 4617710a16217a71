"""The secret that users are hashed with, out of its file."""

from __future__ import annotations

from pathlib import Path

LEAST_BYTES = 16
"""A shorter one can be tried out: names of users are few."""


class BadKey(ValueError):
    """The file holds no key that protects anybody."""


def read_user_key(file: Path | None) -> bytes | None:
    """The key, without white space around it; None where no file is named. Raises OSError, BadKey."""
    if file is None:
        return None
    key = file.read_bytes().strip()
    if len(key) < LEAST_BYTES:
        raise BadKey(
            f"{file} has {len(key)} bytes: a key needs at least {LEAST_BYTES}, as openssl rand -hex 32 makes it"
        )
    return key
