"""The service itself: queues, alerts, what was heard and what could not be used, names and hosts."""

from __future__ import annotations

from dataclasses import replace

from pipeline.store.queries.columns import Column
from pipeline.store.queries.health import freshness
from pipeline.store.queries.names import names
from pipeline.store.queries.quality import SECTIONS, section
from pipeline.store.queries.question import Condition
from pipeline.store.queries.reports import ALERTS, BACKLOG, DEAD_LETTERS, HOSTS, QUEUES
from pipeline.store.silences import silences
from pipeline.web import filters
from pipeline.web.access import Role, require
from pipeline.web.asks.shared import question
from pipeline.web.context import Context
from pipeline.web.parameters import (
    AlertParameters,
    DeadLetterParameters,
    Form,
    HostParameters,
    Listed,
    NameParameters,
    QualityParameters,
    QueueParameters,
    SilenceParameters,
)
from pipeline.web.table import Table

SILENCE_COLUMNS = (
    Column("id", "count"),
    *(Column(name, "text") for name in ("rule", "subject", "reason", "author")),
    *(Column(name, "time") for name in ("created_at", "ends_at")),
)


def queue_status(context: Context, asked: Listed) -> Table:
    """Active and ready of each (FTS, VO, channel, source, destination): last, mean, largest; never summed."""
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    by = ("fts", "vo", "channel", "src_host", "dst_host")
    asking = question(context, QUEUES, span, context.conditions(asked, QUEUES), by)
    return context.listed(asked, asking, span, usual="-active_max", ties=by)


def dead_letters(context: Context, asked: DeadLetterParameters) -> Table:
    """Messages that could not be used, newest first: for operators."""
    require(context.caller, Role.OPERATOR, all_vos=True)
    span = filters.span(asked.from_, asked.to, "1d", context.now_ms)
    where = (*filters.one_of("reason", asked.reason), *filters.one_of("topic", asked.topic))
    asking = question(context, DEAD_LETTERS, span, where)
    return context.listed(asked, asking, span, usual="-id", ties=("id",))


def known_names(context: Context, asked: NameParameters) -> Table:
    """Names that begin so."""
    found = names(context.connection, asked.kind, asked.prefix, asked.limit)
    return Table((Column("name", "text"),), [[name] for name in found])


def source_freshness(context: Context, _: Form) -> Table:
    """The newest that was heard of each source."""
    columns = (
        Column("source", "text"),
        *(Column(f"last_{what}_at", "time") for what in ("event", "received", "committed")),
    )
    return Table(columns, [list(each) for each in freshness(context.connection)])


def queues(context: Context, asked: QueueParameters) -> Table:
    """Broker queues and consumer groups as they stand at the end of the range, or each of their samples.

    A queue that was not sampled lately is unknown: its numbers are none.
    """
    span = filters.exact(asked.from_, asked.to, context.now_ms)
    where = [each for name in BACKLOG.keys for each in filters.one_of(name, getattr(asked, name))]
    by = () if asked.samples else BACKLOG.keys
    asking = question(context, BACKLOG, span, tuple(where), by)
    usual = "-sampled_at" if asked.samples else "kind"
    return context.listed(asked, asking, span, usual=usual, ties=BACKLOG.keys)


def alerts(context: Context, asked: AlertParameters) -> Table:
    """Alerts raised in the range, newest first; ``open``: those that are not cleared, whenever they were raised."""
    span = filters.exact(asked.from_, asked.to, context.now_ms)
    where = [*filters.one_of("rule", asked.rule), *filters.one_of("subject", asked.subject)]
    asking = question(context, ALERTS, span, tuple(where))
    if asked.open:
        asking = replace(asking, from_ms=None, to_ms=None, where=(*where, Condition("cleared_at", "=", None)))
    return context.listed(asked, asking, span, usual="-raised_at", ties=("id",))


def listed_silences(context: Context, asked: SilenceParameters) -> Table:
    """Silences that hold, the one that ends last first: for operators."""
    require(context.caller, Role.OPERATOR, all_vos=True)
    return Table(SILENCE_COLUMNS, [list(each) for each in silences(context.connection, asked.over)])


def topology_hosts(context: Context, asked: HostParameters) -> Table:
    """Where hosts stand: those of finished transfers in the range, and those that the topology names besides."""
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    where = [each for name in ("status", "site", "country") for each in filters.one_of(name, getattr(asked, name))]
    asking = question(context, HOSTS, span, tuple(where))
    return context.listed(asked, asking, span, usual="host", ties=HOSTS.keys)


def quality(context: Context, asked: QualityParameters) -> Table:
    """One section of what tells how far the numbers can be trusted; that of the sources has all verdicts beside it.

    ``meta.topology`` and ``meta.verify`` are the newest rows of these sections, None where there are none.
    """
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)

    def found(name: str) -> Table:
        rows = section(context.connection, name, span.from_ms, span.to_ms, context.now_ms)
        return context.table(SECTIONS[name].columns, rows, span)

    table = found(asked.section)
    if asked.section == "sources":
        for name in ("topology", "verify"):
            context.meta[name] = next(found(name).records(), None)
    return table
