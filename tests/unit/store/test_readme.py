"""pipeline/store/README.md and pipeline/stages/README.md name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.stages.pair import NEAR_MS
from pipeline.stages.windows import BASE_MS, spread
from pipeline.store.tables import metadata
from schemas.histogram import BINS_PER_MEASURE

ROOT = Path(__file__).parents[3]
STORE = (ROOT / "pipeline" / "store" / "README.md").read_text(encoding="utf-8")
STAGES = (ROOT / "pipeline" / "stages" / "README.md").read_text(encoding="utf-8")


def first_column(text: str, head: str) -> list[str]:
    """The names in the first column of the table with that head."""
    table = text.split(head, 1)[1].split("\n\n", 1)[0]
    return [name for line in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])]


@pytest.mark.parametrize(("text", "folder", "head"), [(STORE, "store", "| module |"), (STAGES, "stages", "| module |")])
def test_every_module_is_named(text: str, folder: str, head: str) -> None:
    there = {
        path.name if path.is_file() else f"{path.name}/"
        for path in (ROOT / "pipeline" / folder).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert set(first_column(text, head)) == there - {"__init__.py"}


def test_every_table_is_named_with_its_partitions() -> None:
    assert set(first_column(STORE, "| table |")) == {table.name for table in metadata.tables.values()}
    for table in metadata.tables.values():
        (line,) = re.findall(rf"^\| `{table.name}` \|.*$", STORE, re.MULTILINE)
        is_partitioned = table.dialect_options["postgresql"]["partition_by"] is not None
        assert (line.split("|")[3].strip() != "–") == is_partitioned, line


def test_the_tables_are_written_in_the_order_that_is_told() -> None:
    told = re.findall(r"`(\w+)`", STORE.split("5. Writes,", 1)[1].split("6. Commit", 1)[0])
    writer = (ROOT / "pipeline" / "store" / "writer.py").read_text()
    windows = (ROOT / "pipeline" / "store" / "window_rows.py").read_text()
    body = writer.split("def write(", 1)[1].split("def write_dead", 1)[0]
    steps = ["store.start", "store.transfer", "store.wide_key", "file_states.write_rows(", "add_samples("]
    steps.append("write_dead(")
    steps += ["window_rows.add_windows(", "add_flows(", "add_errors(", "file_states.add_windows(", "_add_sources("]
    steps.append("finality.note_changed(")
    positions = [body.index(step) for step in steps]
    assert positions == sorted(positions)
    assert " ".join(told) == (
        "start transfer wide_key file_state queue_sample dead_letter link_hist link_10m link_1h link_1d flow_10m"
        " flow_1h flow_1d error_10m file_state_10m source_10m freshness final_pass progress"
    )
    assert windows.index('"store.link_hist"') < windows.index("in _ADD:")
    assert writer.index("INTO store.source_10m") < writer.index("INTO store.freshness")


def test_the_figures_are_those_of_the_code() -> None:
    assert f"code = stage × {BINS_PER_MEASURE} + bin" in STORE
    assert NEAR_MS == 60_000
    assert BASE_MS == 600_000
    assert "`spread(10, 599_999, 600_002)` gives 3 bytes to the first window and 7 to the second" in STAGES
    assert list(spread(10, 599_999, 600_002)) == [(0, 3), (600_000, 7)]
