"""The numbers of a matrix for scripts: texts as the page writes them, one column of all cells after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.units import count, human
from pipeline.web.pages.cells import METRICS
from pipeline.web.pages.grid import Grid
from pipeline.web.pages.looks import Looks
from pipeline.web.pages.sides import ALL, Head

_BETWEEN = "\t"


def compact(grid: Grid, looks: Looks, addresses: Mapping[str, str]) -> str:
    """JSON, with few quotes because a page escapes them.

    ``rows`` and ``cols`` are ends with their depth and whether they are open (1, 0, null for what cannot be); behind
    them come the sums. ``at`` has for each row the columns in which it has cells; ``kinds`` the looks of cells, as
    CSS classes, mark, and whether n is written; ``kind`` which of them each cell has. ``texts`` are by metric, in the
    unit that all cells share, ``told`` in that which fits the one cell.
    """
    ends = [head.path for head in grid.rows] + [ALL], [head.path for head in grid.cols] + [ALL]
    at, cells = [], []
    for row in ends[0]:
        found = [(place, cell) for place, col in enumerate(ends[1]) if (cell := grid.at(row, col))]
        at.append(" ".join(str(place) for place, _ in found))
        cells += [(cell, ALL in (row, ends[1][place])) for place, cell in found]
    found_looks = [looks.of(cell, is_sum=is_sum) for cell, is_sum in cells]
    kinds = list(dict.fromkeys(found_looks))
    places = {kind: str(place) for place, kind in enumerate(kinds)}
    texts = {metric: [cell.text(metric, grid.units[metric]) for cell, _ in cells] for metric in METRICS}
    texts["aborted"] = [count(cell.aborted) for cell, _ in cells]
    texts["n"] = [count(cell.finished) for cell, _ in cells]
    told = {
        "efficiency": ["n/a" if cell.efficiency is None else human(cell.efficiency, "ratio") for cell, _ in cells],
        "volume": [human(cell.bytes, "bytes") for cell, _ in cells],
        "throughput": [human(cell.throughput, "rate") for cell, _ in cells],
    }
    document: dict[str, Any] = {
        "sides": [grid.down.param, grid.across.param],
        "rows": _heads(grid.rows),
        "cols": _heads(grid.cols),
        "at": _BETWEEN.join(at),
        "kinds": kinds,
        "kind": " ".join(places[look] for look in found_looks),
        "units": {metric: unit.name for metric, unit in grid.units.items()},
        "texts": {name: _BETWEEN.join(column) for name, column in texts.items()},
        "told": {name: _BETWEEN.join(column) for name, column in told.items()},
        "addresses": addresses,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _heads(heads: Sequence[Head]) -> dict[str, Any]:
    return {
        "ends": [head.end for head in heads],
        "depths": [head.depth for head in heads],
        "open": [None if head.is_open is None else int(head.is_open) for head in heads],
    }
