"""The rows of a day enriched anew: which link, flow and kind of failure each belongs to, and where its ends lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.enrich import Resolved, Topology
from pipeline.stages.errors import ErrorKey, error_key
from pipeline.stages.flows import FlowKey
from pipeline.stages.windows import LinkKey
from pipeline.store.copying import NULL, copy_rows, moment, texts
from pipeline.store.expected import Days
from pipeline.store.links import Keys

_FETCH = 5000
_MAX_CACHED = 200_000


class _Table(NamedTuple):
    name: str
    time: str
    sides: bool

    @property
    def relinked(self) -> str:
        """The temporary table of the rows that say something else now."""
        return f"relinked_{self.name}"


_START = _Table("start", "event_at", False)
_TRANSFER = _Table("transfer", "ended_at", True)
_OF_TRANSFERS = ("error_id", "src_endpoint", "dst_endpoint", "src_status", "dst_status")


class Relinking:
    """Enriches rows with one topology; remembers what it learnt from one day to the next."""

    def __init__(self, numbers: Connection, topology: Topology) -> None:
        """``numbers`` is a connection of its own, on which new links get their numbers."""
        self._connection = numbers
        self._topology = topology
        self._keys = Keys()
        self._links: dict[int, LinkKey] = {}
        self._placed: dict[_Spot, tuple[int, int]] = {}

    def relink(self, cursor: Cursor, day: Days) -> int:
        """Enrich the starts and transfers of a day anew; how many now say something else.

        These stay in temporary tables until the transaction ends, for ``moved_on``.
        """
        return sum(self._relink(cursor, table, day) for table in (_START, _TRANSFER))

    def _relink(self, cursor: Cursor, table: _Table, day: Days) -> int:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {table.relinked} (at timestamptz, dedupe bigint, link_id int, flow_id int,"
            " error_id int, src_endpoint text, dst_endpoint text, src_status text, dst_status text) ON COMMIT DROP"
        )
        names = ("link_id", "flow_id", *(_OF_TRANSFERS if table.sides else ()))
        changed = 0
        for batch in _rows(cursor, table, day):
            moved = self._moved(batch, len(names))
            with cursor.connection.cursor() as writing:
                copy_rows(writing, table.relinked, f"at, dedupe, link_id, flow_id, {', '.join(_OF_TRANSFERS)}", moved)
            changed += len(moved)
        bounds = (day.begin, day.end)
        revision = self._topology.revision
        if changed:
            cursor.execute(
                f"UPDATE store.{table.name} AS t SET {', '.join(f'{name} = r.{name}' for name in names)},"
                f" topology_revision = %s FROM {table.relinked} AS r"
                f" WHERE t.{table.time} = r.at AND t.dedupe = r.dedupe"
                f" AND t.{table.time} >= %s AND t.{table.time} < %s",
                (revision, *bounds),
            )
        cursor.execute(
            f"UPDATE store.{table.name} SET topology_revision = %s"
            f" WHERE {table.time} >= %s AND {table.time} < %s AND topology_revision <> %s",
            (revision, *bounds, revision),
        )
        return changed

    def _moved(self, batch: list[_Row], said: int) -> list[str]:
        """The rows of a batch that say something else now, to be copied; of what a row says, the first ``said``."""
        self._learn_links({row.link_id for row in batch})
        ends = [self._ends(row) for row in batch]
        spots = [_Spot(row.link_id, row.activity, *sides) for row, sides in zip(batch, ends, strict=True)]
        self._place(spots)
        errors = self._keys.errors.numbers(self._connection, [row.error for row in batch if row.error is not None])
        moved = []
        for row, spot in zip(batch, spots, strict=True):
            link, flow = self._placed[spot]
            error = None if row.error is None else errors[row.error]
            sides = (spot.src.endpoint, spot.dst.endpoint, spot.src.status, spot.dst.status)
            if (link, flow, error, *sides)[:said] != row.said:
                given = f"{link}\t{flow}\t{NULL if error is None else error}"
                moved.append(f"{moment(row.at_ms)}\t{row.dedupe}\t{given}\t{texts(sides)}")
        return moved

    def _ends(self, row: _Row) -> tuple[Resolved, Resolved]:
        key = self._links[row.link_id]
        resolve = self._topology.resolve
        return resolve(key.src_host, key.vo, row.at_ms, *row.src), resolve(key.dst_host, key.vo, row.at_ms, *row.dst)

    def _learn_links(self, numbers: set[int]) -> None:
        missing = numbers - self._links.keys()
        if missing:
            if len(self._links) + len(missing) > _MAX_CACHED:
                self._links.clear()
                missing = numbers
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT id, {', '.join(LinkKey._fields)} FROM store.link WHERE id = ANY(%s)", (sorted(missing),)
                )
                self._links.update({number: LinkKey(*key) for number, *key in cursor.fetchall()})

    def _place(self, spots: list[_Spot]) -> None:
        """Find the numbers of the links and flows of these."""
        new = {spot for spot in spots if spot not in self._placed}
        if not new:
            return
        if len(self._placed) + len(new) > _MAX_CACHED:
            self._placed.clear()
            new = set(spots)
        keys = [(spot, *self._keys_of(spot)) for spot in new]
        links = self._keys.links.numbers(self._connection, [link for _, link, _ in keys])
        flows = self._keys.flows.numbers(self._connection, [flow for _, _, flow in keys])
        self._placed.update({spot: (links[link], flows[flow]) for spot, link, flow in keys})

    def _keys_of(self, spot: _Spot) -> tuple[LinkKey, FlowKey]:
        key, src, dst = self._links[spot.link_id], spot.src, spot.dst
        link = key._replace(src_site=src.site, dst_site=dst.site, src_country=src.country, dst_country=dst.country)
        flow = FlowKey(key.technology, key.fts, key.vo, spot.activity, src.site, dst.site, src.endpoint, dst.endpoint)
        return link, flow


def moved_on(cursor: Cursor, day: Days, all_rows: bool) -> set[Days]:
    """Earlier days on which bytes of a day's transfers moved: of all of them, or of those that ``relink`` changed."""
    changed = "" if all_rows else f" JOIN {_TRANSFER.relinked} AS r ON r.at = t.ended_at AND r.dedupe = t.dedupe"
    cursor.execute(
        f"SELECT DISTINCT moved_on AT TIME ZONE 'UTC' FROM store.transfer AS t{changed},"
        " generate_series(date_trunc('day', moved_from AT TIME ZONE 'UTC'), moved_to AT TIME ZONE 'UTC', '1 day')"
        " AS moved_on WHERE ended_at >= %s AND ended_at < %s"
        " AND (moved_from AT TIME ZONE 'UTC') < date_trunc('day', ended_at AT TIME ZONE 'UTC')",
        (day.begin, day.end),
    )
    length = day.end - day.begin
    return {Days(begin, begin + length) for (begin,) in cursor.fetchall()} - {day}


class _Row(NamedTuple):
    """A stored row: its key, what its message says of both ends, what it died of, and what ``said`` of all that now."""

    at_ms: int
    dedupe: int
    link_id: int
    activity: str
    src: tuple[str, ...]
    dst: tuple[str, ...]
    error: ErrorKey | None
    said: tuple[Any, ...]


class _Spot(NamedTuple):
    """What decides the link and the flow of a row: the hosts, VO and so on of its link, and where these are now."""

    link_id: int
    activity: str
    src: Resolved
    dst: Resolved


def _rows(cursor: Cursor, table: _Table, day: Days) -> Iterator[list[_Row]]:
    failed = "state = 'failed', error_scope, error_phase, error_category, error_code, error_message"
    nothing = "false, '', '', '', '', ''"
    said = ("link_id", "flow_id", *(_OF_TRANSFERS if table.sides else ()))
    with cursor.connection.cursor(f"relink_{table.name}") as reading:
        reading.itersize = _FETCH
        reading.execute(
            f"SELECT (extract(epoch FROM {table.time}) * 1000)::bigint, dedupe, activity, src_rse, src_url, src_token,"
            f" dst_rse, dst_url, dst_token, {failed if table.sides else nothing}, {', '.join(said)}"
            f" FROM store.{table.name} WHERE {table.time} >= %s AND {table.time} < %s",
            (day.begin, day.end),
        )
        while fetched := reading.fetchmany(_FETCH):
            yield [_row(row) for row in fetched]


def _row(fetched: tuple[Any, ...]) -> _Row:
    at_ms, dedupe, activity = fetched[:3]
    error = error_key(*fetched[10:15]) if fetched[9] else None
    return _Row(at_ms, dedupe, fetched[15], activity, fetched[3:6], fetched[6:9], error, fetched[15:])
