"""The matrix of sources and destinations: where is it bad?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.pages.absent import absent
from pipeline.web.pages.frame import Frame
from pipeline.web.pages.grid import METRICS, grid
from pipeline.web.parameters import MatrixParameters
from pipeline.web.problems import bad_parameter
from schemas.events import FTS


class MatrixPage(MatrixParameters):
    """The matrix page."""

    from_: str = Field("now-6h", alias="from")
    metric: Literal["throughput", "efficiency", "ok", "failed", "volume", "started"] = "throughput"
    layout: Literal["table", "list"] = "table"


def matrix(context: Context, frame: Frame, asked: MatrixPage) -> dict[str, Any]:
    """The cells of one technology, as a grid and as a list."""
    if not asked.technology:
        asked = asked.model_copy(update={"technology": [FTS]})
    if len(asked.technology) > 1 or asked.technology[0].startswith("!"):
        raise bad_parameter("technology", "a matrix is of one technology: name one", ["fts", "xrootd", "xrootd-tpc"])
    query = asked.model_dump(by_alias=True, include=set(MatrixParameters.model_fields))
    table = asks.matrix(context, MatrixParameters.model_validate(query))
    source, destination = f"src_{asked.rows}", f"dst_{asked.cols}"
    rows = sorted(table.records(), key=lambda row: (-row["failed"], str(row[source]), str(row[destination])))
    return {
        "asked": asked,
        "technology": asked.technology[0],
        "rows": rows,
        "absent": None if rows else absent(context, frame),
        "ends": (source, destination),
        "grid": grid(rows, source, destination, asked.metric),
        "hidden": table.meta["hidden"],
        "metrics": list(METRICS),
    }
