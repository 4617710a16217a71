"""The example notebook, run as its text says: an export, the API behind a real socket, cell after cell.

The cells are run one after another in one namespace, which is what a kernel does with cells that are plain Python; so
the tests need no Jupyter.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from tests.support.browsed import served, traffic
from tests.support.database import Database
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

NOTEBOOK = Path(__file__).parents[2] / "deploy" / "examples" / "week_of_links.ipynb"
RANGE = ("--from", "2026-11-22T11:00Z", "--to", "2026-11-22T14:00Z", "--window", "1h")


@pytest.fixture
def exported(shell: Shell, tmp_path: Path) -> Shell:
    """Some links of three VOs, and an export of them."""
    shell("replay", write(tmp_path / "traffic.jsonl", traffic()))
    shell("export", "links", *RANGE, "--stages", "--out", tmp_path / "week.parquet")
    return shell


@pytest.fixture
def told(exported: Shell, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The API over that, and both named as the notebook wants them."""
    with served(create_app(WebConfig(database_url))) as address:
        monkeypatch.setenv("WEB", address)
        monkeypatch.setenv("EXPORT", str(tmp_path / "week.parquet"))
        yield


def cells() -> list[str]:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]


def run() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for number, source in enumerate(cells()):
        exec(compile(source, f"cell {number}", "exec"), names)
    return names


@pytest.mark.usefixtures("told")
def test_its_numbers_are_those_of_the_store(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = run()
    said = capsys.readouterr().out
    with closing(Database(database_url)) as database:
        (counts,) = database.ask("SELECT sum(ok), sum(failed), sum(bytes_moved) FROM report.link_1d")
        (total,) = found["totals"]
        assert [int(total[name]) for name in ("ok", "failed", "bytes_moved")] == [int(number) for number in counts]
        # All hosts are unmapped here, so there is one pair of sites.
        ((site, failed, ok),) = database.ask("SELECT src_site, sum(failed), sum(ok) FROM report.link_1d GROUP BY 1")
    (pair,) = found["worst"]
    assert (pair["src_site"], pair["failed_sum"], pair["ok_sum"]) == (site, failed, ok)
    assert found["efficiency"](pair) == pytest.approx(float(ok / (ok + failed)))
    assert sum(cause["count"] for cause in found["causes"]) == failed
    assert sum(found["rates"].values()) * 3600 == pytest.approx(float(counts[2]))
    assert found["means"]["streaming"] == 40_000
    assert "srm_prep" not in found["means"]
    for row in found["freshness"]:
        assert f"{row['source']} last heard" in said


@pytest.mark.usefixtures("told")
def test_it_tells_when_data_arrived_after_the_export(exported: Shell, tmp_path: Path) -> None:
    exported("replay", write(tmp_path / "late.jsonl", [line(COMPLETE, complete(70_000, NOON_MS + 60_000))]))
    with pytest.raises(AssertionError, match="data arrived since the export"):
        run()


def test_it_is_a_notebook_of_plain_python_without_results() -> None:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (document["nbformat"], document["metadata"]["kernelspec"]["name"]) == (4, "python3")
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    for cell in document["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    imported = {
        name.split(".")[0]
        for source in cells()
        for node in ast.walk(ast.parse(source))
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"collections", "json", "os", "urllib", "pyarrow"}
