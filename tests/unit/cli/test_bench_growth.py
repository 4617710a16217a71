"""``bench growth`` holds each case against the first of its kind and names what became dearest."""

from __future__ import annotations

import click
import pytest

from pipeline.cli.bench_growth import Case, figures, rising
from pipeline.cli.bench_ingest import Run


def case(kind: str, name: str, worker_us: float, server_us: float) -> Case:
    run = Run(1, 0, 1e6 / (worker_us + server_us), 1.0, worker_us, server_us, 200.0, 10.0)
    return Case(kind, name, run, links=500, disk_gb=1.5)


def test_each_cost_is_held_against_the_first_of_its_kind() -> None:
    found = {
        figure.name: figure
        for figure in figures(
            [
                case("rows", "1 million rows", 60, 20),
                case("rows", "30 million rows", 60, 36),
                case("links", "1,000 links", 80, 20),
                case("links", "100,000 links", 130, 90),
            ]
        )
    }
    rows = found["30 million rows: cost to that of 1 million rows"]
    assert rows.value == pytest.approx(1.2)
    assert rows.reached is True
    links = found["100,000 links: cost to that of 1,000 links"]
    assert links.value == pytest.approx(2.2)
    assert links.reached is False
    assert "1 million rows: cost to that of 1 million rows" not in found
    assert found["1 million rows: database afterwards"].value == 1.5
    assert found["1,000 links: links with their channels and FTS"].value == 500
    dearest = found["what becomes dear first"]
    assert dearest.value == pytest.approx(2.2)
    assert dearest.unit.endswith("with 100,000 links: their server side 20.0 to 90.0 µs")


def test_with_one_case_of_a_kind_nothing_has_grown() -> None:
    names = [figure.name for figure in figures([case("workers", "1 worker", 60, 20)])]
    assert names == [
        "1 worker",
        "1 worker: processor time of the workers",
        "1 worker: of their server side",
        "1 worker: most memory of one worker",
    ]


def test_sizes_must_rise() -> None:
    assert rising("1,10,30", "--rows") == [1, 10, 30]
    assert rising("none", "--rows") == []
    for text in ("", "0,1", "2,1", "1,1", "1,,2", "many"):
        with pytest.raises(click.BadParameter, match="rising"):
            rising(text, "--rows")
