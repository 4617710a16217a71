"""Single transfers, and starts without a complete."""

from __future__ import annotations

from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Condition, Question
from pipeline.store.queries.reports import IN_FLIGHT, TRANSFERS
from pipeline.web import filters
from pipeline.web.access import Role, require
from pipeline.web.asks.shared import days, question
from pipeline.web.context import Context
from pipeline.web.filters import Span
from pipeline.web.parameters import InFlightParameters, TransferParameters
from pipeline.web.problems import Problem
from pipeline.web.table import Table

_SINGLE = frozenset({"agent_fqdn", "transfer_id", "job_id", "file_id"})
"""Columns that tell one transfer from another."""


def transfers(context: Context, asked: TransferParameters) -> Table:
    """Finished transfers, newest first: for readers."""
    require(context.caller, Role.READER)
    span = days(context, asked)
    where = [*context.conditions(asked, TRANSFERS), *context.own()]
    where += [Condition("state", "=", state) for state in asked.state]
    if asked.min_size:
        where.append(Condition("file_size", ">=", asked.min_size))
    if asked.template:
        where.append(Condition("error_template", "=", asked.template))
    asking = question(context, TRANSFERS, span, tuple(where))
    return context.listed(asked, asking, span, usual="-ended_at", ties=("transfer_id", "fts", "state", "complete_ref"))


def transfer(context: Context, identity: str) -> Table:
    """Every attempt of a transfer id, newest first; raises Problem 404 when there is none."""
    require(context.caller, Role.READER)
    where = (Condition("transfer_id", "=", identity), *context.own())
    span = Span(0, context.now_ms + filters.DAY_MS, "10m")
    table = context.groups(Question(report=TRANSFERS, now_ms=context.now_ms, where=where), span)
    if not table.rows:
        raise Problem(
            404, "no transfer of this id is kept: transfers are kept for some weeks, look at /api/v1/transfers"
        )
    return table


def in_flight(context: Context, asked: InFlightParameters, *, lost: bool | None = False) -> Table:
    """Starts without a complete, oldest first; counted by links and VOs also for those who may not see single ones.

    ``lost`` None: those that are lost and those that are not.
    """
    span = days(context, asked)
    where = [
        *context.conditions(asked, IN_FLIGHT),
        Condition("closed_by_state", "=", False),
    ]
    if lost is not None:
        where.append(Condition("lost", "=", lost))
    if asked.min_age:
        where.append(Condition("started_at", "<=", to_datetime(context.now_ms - asked.min_age * 1000)))
    by = context.by(IN_FLIGHT, asked.by, ())
    if not by or _SINGLE.intersection(by):
        require(context.caller, Role.READER)
        where += context.own()
    asking = question(context, IN_FLIGHT, span, tuple(where), by)
    if by:
        return context.listed(asked, asking, span, usual="-count", ties=by)
    return context.listed(asked, asking, span, usual="started_at", ties=("transfer_id", "fts", "agent_fqdn"))
