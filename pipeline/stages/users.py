"""Who a transfer was for, as a keyed hash: rows of one person can be put together, but not traced to a name."""

from __future__ import annotations

from hashlib import blake2b

_REMEMBERED = 100_000
_LONGEST_REMEMBERED = 300


class Users:
    """Hashes of users under a key; without a key, or a user, ``""``. A name is never kept but in memory.

    The hash is 16 bytes of BLAKE2b, as hex. Another key makes other hashes, and nothing tells which belong together.
    """

    __slots__ = ("_hashes", "_key")

    def __init__(self, key: bytes | None = None) -> None:
        self._key = None if key is None else blake2b(key).digest()
        self._hashes: dict[str, str] = {}

    def hash(self, user: str) -> str:
        """The hash of a user as the message names it."""
        if self._key is None or not user:
            return ""
        found = self._hashes.get(user)
        if found is None:
            found = blake2b(user.encode(), key=self._key, digest_size=16).hexdigest()
            if len(self._hashes) >= _REMEMBERED:
                self._hashes.clear()
            if len(user) <= _LONGEST_REMEMBERED:
                self._hashes[user] = found
        return found


NO_USERS = Users()
"""What is used where no key is configured."""
