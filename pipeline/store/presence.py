"""Which messages are already to be seen in the reports: asked by transfer key, so it costs an index probe each."""

from __future__ import annotations

from collections.abc import Collection

from psycopg2.extensions import connection as Connection

from schemas.keys import hash64, key_order


def arrived(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those transfer keys of which a finished attempt is visible."""
    hashes = {hash64(key): key for key in keys}
    with connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "SELECT DISTINCT t.key_hash FROM unnest(%s::bigint[], %s::bigint[]) AS k(key_order, key_hash)"
            " JOIN store.transfer AS t USING (key_order, key_hash)",
            ([key_order(key) for key in hashes.values()], list(hashes)),
        )
        return {hashes[key_hash] for (key_hash,) in cursor.fetchall()}
