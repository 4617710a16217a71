"""Link keys and their numbers. Numbers are given out in a transaction of their own: a spare one harms nobody."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values
from xxhash import xxh3_128_digest

from pipeline.stages.windows import LinkKey

_MAX_CACHED = 500_000


class Links:
    """The numbers of link keys, remembered; at most half a million of them (about 200 MB of text at the worst)."""

    def __init__(self) -> None:
        self._ids: dict[LinkKey, int] = {}

    def numbers(self, connection: Connection, keys: Iterable[LinkKey]) -> dict[LinkKey, int]:
        """The number of each key, given out now where it is new. Commits."""
        wanted = set(keys)
        ids = self._ids
        missing = sorted(key for key in wanted if key not in ids)
        if missing:
            if len(ids) + len(missing) > _MAX_CACHED:
                ids.clear()
                missing = sorted(wanted)
            with connection:
                given = _give_out(connection, missing)
            ids.update(given)  # only now: a number whose commit failed is nobody's
        return {key: ids[key] for key in wanted}


def _give_out(connection: Connection, keys: list[LinkKey]) -> dict[LinkKey, int]:
    hashes = {_hash(key): key for key in keys}
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO store.link (key_hash, technology, fts, vo, channel, src_host, dst_host, src_site, dst_site,"
            " src_country, dst_country) VALUES %s ON CONFLICT (key_hash) DO NOTHING",
            sorted((hash_, *key) for hash_, key in hashes.items()),
            page_size=1000,
        )
        cursor.execute("SELECT key_hash::text, id FROM store.link WHERE key_hash = ANY(%s::uuid[])", (sorted(hashes),))
        return {hashes[hash_]: number for hash_, number in cursor.fetchall()}


def _hash(key: LinkKey) -> str:
    # No wire text holds NUL (schemas.cleaning), so the joined text is as distinct as the key.
    return str(UUID(bytes=xxh3_128_digest("\0".join(key).encode())))
