"""Starts without an end: what hangs?"""

from __future__ import annotations

from typing import Any

from pipeline.web import asks
from pipeline.web.access import Role
from pipeline.web.context import Context
from pipeline.web.parameters import InFlightParameters
from pipeline.web.problems import bad_parameter
from pipeline.web.table import Table


def in_flight(context: Context, asked: InFlightParameters) -> dict[str, Any]:
    """In flight and lost by link, and the oldest single ones for readers."""
    if asked.technology:
        raise bad_parameter("technology", "starts are told by fts alone: leave it out")
    counted = asked.model_copy(update={"by": asked.by or "vo,src_host,dst_host"})
    single: Table | None = None
    if context.role >= Role.READER:
        single = asks.in_flight(context, asked.model_copy(update={"by": ""}))
    return {
        "counted": asks.in_flight(context, counted),
        "lost": asks.in_flight(context, counted, lost=True),
        "single": single,
    }
