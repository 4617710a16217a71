"""What one request knows while its questions are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from pipeline.store import audit
from pipeline.store.audit import Action, Actor
from pipeline.store.columnar.blocks import Blocks
from pipeline.store.queries.answer import answer, columns_of, page
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.gaps import Source, sources
from pipeline.store.queries.health import freshness
from pipeline.store.queries.marks import Mark, mark, not_final
from pipeline.store.queries.names import is_known
from pipeline.store.queries.question import Condition, Order, Question, parse_by, parse_order
from pipeline.store.queries.reports import Report
from pipeline.store.session import Connection
from pipeline.units import iso
from pipeline.web import cursors, filters
from pipeline.web.access import Caller, Role
from pipeline.web.filters import Span
from pipeline.web.parameters import Common, Paged, Timed
from pipeline.web.problems import bad_parameter
from pipeline.web.table import Table
from schemas.events import FTS

MINUTE_MS = 60_000
MAX_GROUPS = 40_000


class NotModified(Exception):
    """The caller has this answer already: 304 with the same tag."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


@dataclass
class Context:
    """``now_ms`` is the one clock of the request; ``known_tag`` is what If-None-Match said, ``origin`` the address of
    the caller."""

    connection: Connection
    now_ms: int
    caller: Caller
    known_tag: str | None = None
    flavour: str = ""
    blocks: Blocks | None = None
    tag: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    marks: dict[Span, Mark] = field(default_factory=dict)
    waiting: dict[Span, int] = field(default_factory=dict)
    heard_of: dict[Span, list[Source]] = field(default_factory=dict)
    origin: str = ""

    @property
    def role(self) -> Role:
        """What the caller may."""
        return self.caller.role

    @property
    def sees_samples(self) -> bool:
        """Whether messages of single failures may be shown: in sums over VOs nobody knows whose they are."""
        return self.role >= Role.READER and self.caller.vos is None

    @property
    def sees_silences(self) -> bool:
        """Whether silences may be seen, given and ended: alerts have no VO."""
        return self.role >= Role.OPERATOR and self.caller.vos is None

    @property
    def actor(self) -> Actor:
        """The caller, for the audit."""
        return Actor(self.caller.name, self.caller.via, self.origin)

    def own(self) -> tuple[Condition, ...]:
        """What leaves the rows of the caller's VOs, for questions about single transfers."""
        return () if self.caller.vos is None else (Condition("vo", "in", self.caller.vos),)

    def note(self, action: str, subject: str) -> None:
        """A line of the audit, before the caller gets what it is about; ends what was open on the connection.

        Raises Unavailable.
        """
        audit.note(self.connection, Action(self.actor, action, subject))

    def span(self, asked: Timed) -> Span:
        """The range that was asked for."""
        return filters.span(asked.from_, asked.to, asked.bin, self.now_ms)

    def conditions(self, asked: Common, report: Report) -> tuple[Condition, ...]:
        """The filters that were asked for, fit for a report."""
        return filters.for_report(
            filters.conditions(asked, lambda kind, name: is_known(self.connection, kind, name)), report
        )

    def check(self, asked: BaseModel, span: Span) -> None:
        """Sets the tag of the answer, and what the revision of its windows tells; raises NotModified.

        In a range that holds now, throughput divides by the time that passed: such a tag lives for a minute.
        """
        if span not in self.marks:  # a page asks several questions about the same windows
            self.marks[span] = mark(self.connection, span.width, span.from_ms, span.to_ms)
        now = self.marks[span]
        minute = self.now_ms // MINUTE_MS if span.to_ms > self.now_ms else None
        query = asked.model_dump(exclude={"from_", "to"})
        may_see = (self.role, self.caller.vos)
        tag = cursors.fingerprint([type(asked).__name__, query, span, may_see, self.flavour, now, minute])
        self.tag = f'W/"{tag}"'
        self.meta["revision"] = tag
        self.meta["unfinished"] = span.to_ms > self.now_ms
        if self.known_tag and (self.known_tag == "*" or self.tag in [tag.strip() for tag in self.known_tag.split(",")]):
            raise NotModified(self.tag)
        if span not in self.waiting:
            self.waiting[span] = not_final(self.connection, span.width, now)
        self.meta["not_final"] = self.waiting[span]

    def groups(self, question: Question, span: Span, limit: int = MAX_GROUPS) -> Table:
        """All groups of a question; raises Problem 400 when there are more than ``limit``."""
        found = answer(self.connection, Question(**{**question.__dict__, "limit": limit}), self.blocks)
        rows = list(found.rows)
        if found.has_more:
            raise bad_parameter("by", f"gives more than {limit} rows: filter, group by less, or take wider bins")
        return self.table(found.columns, rows, span)

    def listed(self, asked: Paged, question: Question, span: Span, *, usual: str, ties: Sequence[str]) -> Table:
        """One page of a list, sorted as asked or by ``usual``, ``ties`` last."""
        question, after = self.ordered(asked, replace(question, search=asked.q), usual, ties)
        places = [column.name for column in columns_of(question)]
        found = page(self.connection, question, after, self.blocks)
        rows = list(found.rows)
        table = self.table(found.columns, rows, span)
        if found.has_more:
            last = tuple(rows[-1][places.index(order.column)] for order in question.order)
            table.next_cursor = cursors.written(cursors.Cursor(self.now_ms, last), _identity(asked))
        return table

    def ordered(
        self, asked: Paged, question: Question, usual: str, ties: Sequence[str]
    ) -> tuple[Question, tuple[object, ...] | None]:
        """The question in a total order, and the values behind which the page begins."""
        columns = {column.name: column for column in columns_of(question)}
        try:
            order = parse_order(columns, [asked.sort or usual])
        except BadQuery as error:
            raise bad_parameter("sort", str(error), columns) from error
        chosen = {each.column for each in order}
        order += tuple(Order(name, False) for name in ties if name not in chosen)
        after = None
        if asked.cursor is not None:
            _, values = cursors.read(asked.cursor, _identity(asked))
            after = cursors.typed(values, [columns[each.column] for each in order])
        return Question(**{**question.__dict__, "order": order, "limit": asked.limit}), after

    def by(self, report: Report, written: str, usual: Sequence[str]) -> tuple[str, ...]:
        """The columns to group by."""
        try:
            return parse_by(report, [written] if written else usual)
        except BadQuery as error:
            raise bad_parameter("by", str(error), report.keys) from error

    def heard(self) -> None:
        """Notes up to when data are there."""
        newest = [each.last_event_at for each in freshness(self.connection) if each.last_event_at is not None]
        self.meta["data_through"] = iso(max(newest)) if newest else None

    def sources(self, asked: Common, span: Span) -> list[Source]:
        """The sources of what is asked, with the times in which they were not heard, as far as it is known by now."""
        if span not in self.heard_of:  # a page asks several questions about the same windows
            self.heard_of[span] = sources(self.connection, span.from_ms, min(span.to_ms, self.now_ms))
        of_technology, of_instance = filters.chooses(asked.technology), filters.chooses(asked.fts)
        return [
            source
            for source in self.heard_of[span]
            if any(map(of_technology, source.technologies))
            and (FTS not in source.technologies or of_instance(source.name))
        ]

    def gaps(self, asked: Common, span: Span) -> None:
        """Notes when each source of what is asked was not heard."""
        self.meta["gaps"] = [
            {"source": source.name, "from": iso(begin), "to": iso(end)}
            for source in self.sources(asked, span)
            for begin, end in source.gaps
        ]

    def table(self, columns: Sequence[Any], rows: list[Sequence[Any]], span: Span) -> Table:
        """Rows of an answer with what is known of all of them."""
        self.heard()
        return Table(tuple(columns), [_plain(row) for row in rows], span, self.meta)


def _plain(row: Sequence[Any]) -> Sequence[Any]:
    """Sums of whole numbers come as Decimal from SQL."""
    return [_whole(value) for value in row] if Decimal in map(type, row) else row


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def start_of(asked: BaseModel, now_ms: int) -> int:
    """The time of the request: that of the first page, if this is a later one."""
    cursor = getattr(asked, "cursor", None)
    return cursors.read(cursor, _identity(asked))[0] if cursor else now_ms


def _identity(asked: BaseModel) -> dict[str, Any]:
    return {"of": type(asked).__name__, **asked.model_dump(exclude={"cursor", "format", "shape", "raw"})}
