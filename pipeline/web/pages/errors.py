"""Failures by kind: which causes, whose?"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.parameters import ErrorParameters


class ErrorPage(ErrorParameters):
    """The error page."""

    from_: str = Field("now-6h", alias="from")


def errors(context: Context, asked: ErrorPage) -> dict[str, Any]:
    """A page of kinds, the most frequent first."""
    return {"errors": asks.errors(context, asked)}
