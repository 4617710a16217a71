"""Failures by kind: which causes, whose?"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.parameters import LONGEST_KIND, ErrorLinksParameters, ErrorParameters, Listed
from pipeline.web.problems import Problem


class ErrorPage(ErrorParameters):
    """The error page."""

    from_: str = Field("now-6h", alias="from")


def errors(context: Context, asked: ErrorPage) -> dict[str, Any]:
    """A page of kinds, the most frequent first."""
    return {"errors": asks.errors(context, asked), "ends": {"src": asked.src, "dst": asked.dst}}


class KindPage(Listed):
    """The page of a kind of failure."""

    from_: str = Field("now-6h", alias="from")


def kind(context: Context, asked: KindPage, identity: str) -> dict[str, Any]:
    """The links that a kind touched; raises Problem 404 for an id that is none."""
    if len(identity) > LONGEST_KIND:
        raise Problem(404, "there is no kind of failure of this id: ids stand in the rows of /errors")
    query = asked.model_dump(by_alias=True, include=set(Listed.model_fields))
    table = asks.error_links(context, ErrorLinksParameters.model_validate(query | {"id": identity}))
    return {"links": table, "kind": table.meta["kind"], "identity": identity}
