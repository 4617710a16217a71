"""Pairs as a matrix: groups opened in place, their sums, orders, and what is counted instead of shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.web.pages.cells import Cell, Unit
from pipeline.web.pages.grid import Grid, grid
from pipeline.web.pages.pair_list import ROWS, pair_list
from pipeline.web.pages.sides import Order, Side, side
from pipeline.web.problems import Problem

SITES = {"CERN": "CH", "PSI": "CH", "DESY": "DE", "KIT": "DE", "RAL": "GB", "unknown": "unknown"}


def row(src: str, dst: str, ok: int = 10, failed: int = 0, size: int = 100, **more: Any) -> dict[str, Any]:
    sums = {"technology": "fts", "ok": ok, "failed": failed, "aborted": 0, "started": 0, "bytes": size}
    ends = {"src_country": SITES[src], "src_site": src, "dst_country": SITES[dst], "dst_site": dst}
    return {**sums, **ends, "throughput": float(size), **more}


def sources(*opened: str, order: Order = "name", top: int = 60) -> Side:
    return side("src", "country", opened, order, top)


def destinations(*opened: str, order: Order = "name", top: int = 60) -> Side:
    return side("dst", "country", opened, order, top)


def names(found: Grid) -> list[str]:
    return [f"{'  ' * head.depth}{head.name}" for head in found.rows]


ROWS_OF_ALL = [
    row("DESY", "CERN", 90, 10, 5000),
    row("KIT", "CERN", 1, 1, 9),
    row("unknown", "RAL", 500, 0, 10**6),
    row("CERN", "RAL", 7, 3, 400),
    row("PSI", "DESY", 0, 1, 0),
]


def test_a_group_opens_below_itself_and_unknown_is_last() -> None:
    closed = grid(ROWS_OF_ALL, sources(), destinations())
    assert names(closed) == ["CH", "DE", "unknown"]
    opened = grid(ROWS_OF_ALL, sources("country:DE"), destinations())
    assert names(opened) == ["CH", "DE", "  DESY", "  KIT", "unknown"]
    assert [head.is_open for head in opened.rows] == [False, True, False, False, False]
    for place, cell in closed.cells.items():
        assert opened.cells[place] == cell, "opening changes no group"
    assert opened.rows[2].end == "site:DESY"
    assert opened.at(("DE", "KIT"), ("CH",)) == Cell(ok=1, failed=1, bytes=9, throughput=9.0, finished=2)
    assert opened.at(("DE", "KIT"), ("GB",)) is None


def test_hosts_are_the_last_level_and_only_groups_open() -> None:
    at_hosts = side("src", "site", ["site:DESY"], "name", 60)
    assert at_hosts.columns == ("src_site", "src_host")
    found = grid([row("DESY", "CERN", src_host="se1"), row("KIT", "CERN", src_host="se2")], at_hosts, destinations())
    assert [(head.end, head.is_open) for head in found.rows] == [
        ("site:DESY", True),
        ("host:se1", None),
        ("site:KIT", False),
    ]
    for written in ("DESY", "host:se1", "site:", "continent:EU"):
        with pytest.raises(Problem):
            side("src", "country", [written], "name", 60)


@given(
    st.lists(
        st.builds(
            row,
            st.sampled_from(list(SITES)),
            st.sampled_from(list(SITES)),
            st.integers(0, 30),
            st.integers(0, 30),
            st.integers(0, 10**15),
        )
    ),
    st.sets(st.sampled_from([f"country:{name}" for name in set(SITES.values())])),
    st.integers(1, 4),
    st.integers(0, 20),
)
def test_parents_are_the_sums_of_their_children_and_nothing_is_lost(
    rows: list[dict[str, Any]], opened: set[str], top: int, min_n: int
) -> None:
    found = grid(rows, sources(*opened, top=top), destinations(*opened, top=top), min_n)
    counted = ("ok", "failed", "bytes", "finished")
    for (src, dst), cell in found.cells.items():
        parts = [part for (row, col), part in found.cells.items() if col == dst and row[:-1] == src and row != ()]
        if parts:
            assert [sum(getattr(part, name) for part in parts) for name in counted] == [
                getattr(cell, name) for name in counted
            ]
    shown = [found.cells[place] for place in found.leaves]
    assert sum(cell.bytes for cell in shown) + found.hidden["bytes"] == sum(row["bytes"] for row in rows)
    pairs = {(SITES[each["src_site"]], SITES[each["dst_site"]]) for each in rows}
    if not opened:
        assert len(shown) + found.hidden["cells"] == len(pairs)
    assert all(cell.finished >= min_n for cell in shown)
    unknown = [place for place, head in enumerate(found.rows) if head.name == "unknown" and head.depth == 0]
    if any(row["src_site"] == "unknown" for row in rows):
        assert unknown, "it is never left out"
        assert all(head.path[0] == "unknown" for head in found.rows[unknown[0] :]), "it is last"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("name", ["CH", "DE", "unknown"]),
        ("volume", ["DE", "CH", "unknown"]),
        ("failed", ["DE", "CH", "unknown"]),
        ("efficiency", ["CH", "DE", "unknown"]),
    ],
)
def test_sides_have_orders_of_their_own(order: Order, expected: list[str]) -> None:
    found = grid(ROWS_OF_ALL, sources(order=order), destinations())
    assert names(found) == expected
    assert [head.name for head in found.cols] == ["CH", "DE", "GB"]


def test_one_failure_of_one_does_not_lead_by_efficiency() -> None:
    rows = [row("PSI", "CERN", 0, 1), row("KIT", "CERN", 100, 100), row("RAL", "CERN", 100, 0)]
    assert names(grid(rows, sources(order="efficiency"), destinations())) == ["DE", "CH", "GB"]
    listed = pair_list(grid(rows, sources(), destinations()), "fts", "efficiency", 1)
    assert [each["src"] for each in listed.rows] == ["country:DE", "country:CH", "country:GB"]


def test_the_top_keeps_what_is_unknown_and_sums_hold_the_rest() -> None:
    rows = [row("DESY", "CERN", size=500), row("RAL", "CERN", size=400), row("unknown", "CERN", 20, 0, 1)]
    found = grid(rows, sources(top=1), destinations())
    assert names(found) == ["DE", "unknown"]
    assert found.hidden == {"cells": 1, "bytes": 400}
    assert found.cells[(), ("CH",)].bytes == 901
    small = grid(rows, sources(), destinations(), min_n=15)
    assert small.hidden == {"cells": 2, "bytes": 900}
    assert small.at(("DE",), ("CH",)) is None


def test_a_grid_is_in_the_unit_of_its_middle_cell() -> None:
    sizes = {"CERN": 2_000, "DESY": 3_450_000, "RAL": 12_000_000_000}
    found = grid([row("KIT", name, 1, 0, size) for name, size in sizes.items()], sources(), destinations())
    unit = found.units["throughput"]
    assert unit == Unit("MB/s", 1e6)
    cells = [found.cells[("DE",), (SITES[name],)] for name in sizes]
    assert [cell.text("throughput", unit) for cell in cells] == ["<0.01", "3.45", "12 000"]
    assert found.units["efficiency"].name == "%"
    assert grid([], sources(), destinations()).units["volume"].name == "B"


def test_the_list_is_sorted_by_any_column_in_pages() -> None:
    hosts = side("src", "host", [], "name", 1000)
    rows = [row("KIT", "CERN", number, 0, 1000 - number, src_host=f"se{number:03}") for number in range(ROWS + 5)]
    found = grid(rows, hosts, destinations())
    first = pair_list(found, "fts", "-ok", 1)
    assert (first.pages, len(first.rows), first.rows[0]["src"]) == (2, ROWS, f"host:se{ROWS + 4:03}")
    last = pair_list(found, "fts", "-ok", 2)
    assert [each["ok"] for each in last.rows] == [4, 3, 2, 1, 0]
    assert pair_list(found, "fts", "-ok", 99) == last, "pages may become fewer while they are read"
    assert pair_list(found, "fts", "-from", 1).rows[0]["src"] == f"host:se{ROWS + 4:03}"
    assert pair_list(found, "fts", "volume", 1).rows[0]["bytes"] == 1000 - ROWS - 4
    states = {each.name: (each.state, each.then) for each in first.headings}
    assert states["ok"] == ("descending", "ok")
    assert states["volume"] == (None, "-volume")
    assert (states["from"], states["efficiency"]) == ((None, "from"), (None, "efficiency"))
