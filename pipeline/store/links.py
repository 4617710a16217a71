"""Keys of windows and their numbers: links, flows, kinds of failure.

Numbers are given out in a transaction of their own: a spare one harms nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values
from xxhash import xxh3_128_digest

from pipeline.stages.enrich import Enriched
from pipeline.stages.errors import ErrorKey
from pipeline.stages.flows import FlowKey
from pipeline.stages.windows import LinkKey

_MAX_CACHED = 500_000

OTHER = "<other>"
"""The template of failures whose own one was not let in."""

_OTHER_KIND = ErrorKey("", "", "", "", OTHER)

Key = TypeVar("Key", bound=tuple[str, ...])


class Numbers(Generic[Key]):
    """The numbers of one table's keys, remembered; at most half a million (about 200 MB of text at the worst)."""

    def __init__(self, table: str, fields: tuple[str, ...]) -> None:
        self._table = table
        self._fields = fields
        self._ids: dict[Key, int] = {}

    def numbers(self, connection: Connection, keys: Iterable[Key]) -> dict[Key, int]:
        """The number of each key, given out now where it is new. Commits."""
        wanted = set(keys)
        ids = self._ids
        missing = sorted(key for key in wanted if key not in ids)
        if missing:
            if len(ids) + len(missing) > _MAX_CACHED:
                ids.clear()
                missing = sorted(wanted)
            with connection:
                given = self._give_out(connection, missing)
            ids.update(given)  # only now: a number whose commit failed is nobody's
        return {key: ids[key] for key in wanted}

    def _give_out(self, connection: Connection, keys: list[Key]) -> dict[Key, int]:
        with connection.cursor() as cursor:
            execute_values(
                cursor,
                f"INSERT INTO store.{self._table} (key_hash, {', '.join(self._fields)}) VALUES %s"
                " ON CONFLICT (key_hash) DO NOTHING",
                sorted((_hash(key), *key) for key in keys),
                page_size=1000,
            )
            return self._known(cursor, keys)

    def _known(self, cursor: Cursor, keys: list[Key]) -> dict[Key, int]:
        """The numbers of those keys that have one."""
        hashes = {_hash(key): key for key in keys}
        cursor.execute(
            f"SELECT key_hash::text, id FROM store.{self._table} WHERE key_hash = ANY(%s::uuid[])",
            (sorted(hashes),),
        )
        return {hashes[hash_]: number for hash_, number in cursor.fetchall()}


class Numbered(NamedTuple):
    """The numbers of all keys of a batch."""

    links: dict[LinkKey, int]
    flows: dict[FlowKey, int]
    errors: dict[ErrorKey, int]


class Links(Numbers[LinkKey]):
    """The numbers of links."""

    def __init__(self) -> None:
        super().__init__("link", LinkKey._fields)


class Flows(Numbers[FlowKey]):
    """The numbers of flows."""

    def __init__(self) -> None:
        super().__init__("flow", FlowKey._fields)


class Errors(Numbers[ErrorKey]):
    """The numbers of kinds of failure, of which there are never many more than twice ``most``.

    Texts of errors are anybody's: one server that writes noise into them must not fill the table. From ``most`` kinds
    on, new ones have the template OTHER; from twice as many on, all new ones are one kind. Kinds that are there stay
    as they are. Several keys may then have one number.
    """

    def __init__(self, most: int = 20_000) -> None:
        super().__init__("error", ErrorKey._fields)
        self._most = most

    def _give_out(self, connection: Connection, keys: list[ErrorKey]) -> dict[ErrorKey, int]:
        shortened = {key: key._replace(template=OTHER) for key in keys}
        with connection.cursor() as cursor:
            known = self._known(cursor, sorted({*keys, *shortened.values()}))
            cursor.execute("SELECT count(*) FROM store.error")
            ((there,),) = cursor.fetchall()
        kinds: dict[ErrorKey, ErrorKey] = {}
        added: set[ErrorKey] = set()
        for key, short in shortened.items():
            # What is there is taken first, so that a key has the same number whenever it is asked for again.
            room = (key, self._most), (short, 2 * self._most)
            fits = (kind for kind, most in room if kind in known or kind in added or there + len(added) < most)
            kinds[key] = kind = next(fits, _OTHER_KIND)
            if kind not in known:
                added.add(kind)
        given = known | (super()._give_out(connection, sorted(added)) if added else {})
        return {key: given[kind] for key, kind in kinds.items()}


class Keys:
    """Links, flows and kinds of failure together, as a writer needs them."""

    def __init__(self) -> None:
        self.links = Links()
        self.flows = Flows()
        self.errors = Errors()

    def numbers(self, connection: Connection, batch: Enriched) -> Numbered:
        """The numbers of a batch's keys. Commits."""
        starts, completes = batch.starts, batch.completes
        links = [new.link for new in starts] + [new.link for new in completes]
        links += [new.link for new in batch.states]
        links += [key for key, _ in batch.samples]
        flows = [new.flow for new in starts] + [new.flow for new in completes]
        return Numbered(
            self.links.numbers(connection, links),
            self.flows.numbers(connection, flows),
            self.errors.numbers(connection, [new.error for new in completes if new.error is not None]),
        )


def _hash(key: tuple[str, ...]) -> str:
    # No wire text holds NUL (schemas.cleaning), so the joined text is as distinct as the key.
    return str(UUID(bytes=xxh3_128_digest("\0".join(key).encode())))
