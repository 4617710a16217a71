"""Exports: the rows of ``query``, with types, units and meanings, and what was asked, in a file that is whole."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from pipeline.cli.export import EXPORTED
from pipeline.cli.parquet import ABOUT, ROWS_A_GROUP, write_parquet
from pipeline.store.queries.columns import Column
from pipeline.store.queries.reports import REPORTS
from pipeline.store.queries.revision import revision
from pipeline.store.session import connect
from tests.support import postgres
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.replayed import replayed
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

MINUTE_MS = 60_000
RANGE = ("--from", "2026-11-22T12:03Z", "--to", "2026-11-22T12:57Z")
ROUNDED = ("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
FORMULA = "=cmd"


@pytest.fixture(scope="module")
def traffic_url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An hour of CMS on seven links, every fifth attempt failed; one of ATLAS with a channel like a formula."""
    lines = []
    for number in range(50):
        fields: dict[str, Any] = {"dst_hostname": f"se{number % 7}.desy.de"}
        if number % 5 == 0:
            fields |= {"t_final_transfer_state": "Error", "tr_bt_transfered": 7}
        at = NOON_MS + (number + 5) * MINUTE_MS
        lines += [line(START, start(number, at - MINUTE_MS)), line(COMPLETE, complete(number, at, **fields))]
    lines.append(line(COMPLETE, complete(99, NOON_MS + 9 * MINUTE_MS, vo="atlas", t_channel=FORMULA)))
    with replayed(template_url, tmp_path_factory.mktemp("traffic"), lines) as url:
        yield url


@pytest.fixture
def traffic(traffic_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Commands before what no test changes."""
    monkeypatch.setenv(postgres.VARIABLE, traffic_url)
    return Shell(capsys)


def plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In one order, without what a reader of JSON cannot keep: how many digits of a second there are."""
    cut = [{name: value for name, value in row.items() if not name.endswith("_at")} for row in rows]
    return sorted(cut, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.parametrize("report", EXPORTED)
@pytest.mark.parametrize("window", ["10m", "1h"])
def test_a_parquet_file_has_the_rows_of_query(traffic: Shell, tmp_path: Path, report: str, window: str) -> None:
    file = tmp_path / "out.parquet"
    traffic("export", report, *RANGE, "--window", window, "--out", file)
    table = parquet.read_table(file)
    found = [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]
    asked = traffic.json("query", report, *RANGE, "--window", window, "--limit", 0)
    assert comparable(found) == comparable(asked)
    assert len(found) >= (6 if window == "10m" else 1)
    starts = table["window_start"].to_pylist()
    assert starts == sorted(starts)


def test_stages_have_the_counts_and_means_of_query(traffic: Shell, tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"
    traffic("export", "links", *RANGE, "--stages", "--out", file)
    found = parquet.read_table(file).to_pylist()
    asked = traffic.json("query", "links", *RANGE, "--stages", "--limit", 0)
    for name in ("streaming_count", "streaming_mean", "throughput_mean", "srm_prep_mean"):
        mine, theirs = (sorted(str(row[name]) for row in rows) for rows in (found, asked))
        assert mine == theirs
    assert {row["streaming_mean"] for row in found} == {None, 40_000.0}


def test_a_file_tells_units_meanings_range_conditions_and_revision(
    traffic: Shell, tmp_path: Path, traffic_url: str
) -> None:
    file = tmp_path / "out.parquet"
    said = traffic.json("export", "links", *RANGE, "--where", "vo=cms", "--out", file)
    schema = parquet.read_schema(file)
    about = json.loads(schema.metadata[ABOUT])
    assert (about["from"], about["to"]) == ROUNDED
    assert (about["report"], about["window"], about["where"]) == ("links", "10m", ["vo=cms"])
    with closing(connect(traffic_url)) as connection:
        now = revision(connection, "10m", NOON_MS, NOON_MS + 60 * MINUTE_MS)
    assert about["revision"] == now._asdict()
    rows = len(traffic.json("query", "links", *RANGE, "--where", "vo=cms", "--limit", 0))
    assert said == {**about, "file": str(file), "format": "parquet", "rows": rows, "size": file.stat().st_size}
    assert set(parquet.read_table(file)["vo"].to_pylist()) == {"cms"}
    kinds = {name: schema.field(name) for name in ("bytes", "throughput", "window_start", "vo", "final_at")}
    assert [str(field.type) for field in kinds.values()] == [
        "int64",
        "double",
        *["timestamp[us, tz=UTC]"],
        "string",
        "timestamp[us, tz=UTC]",
    ]
    assert kinds["bytes"].metadata[b"unit"] == b"B"
    assert kinds["throughput"].metadata[b"unit"] == b"B/s"
    for name in schema.names:
        assert schema.field(name).metadata[b"meaning"], name


def test_a_csv_file_is_that_of_query(traffic: Shell, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    traffic("export", "channels", *RANGE, "--out", file)
    asked = traffic("query", "channels", *RANGE, "--format", "csv", "--limit", 0)
    mine, theirs = (list(csv.reader(text.splitlines())) for text in (file.read_text(), asked))
    assert mine[0] == theirs[0]
    assert sorted(mine[1:]) == sorted(theirs[1:])
    assert f"'{FORMULA}" in file.read_text()


def test_an_empty_range_is_a_file_without_rows(traffic: Shell, tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"
    traffic("export", "links", "--from", "2026-11-20", "--to", "2026-11-21", "--out", file)
    assert parquet.read_table(file).num_rows == 0
    assert "efficiency" in parquet.read_schema(file).names


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("links", "--out", "x.csv"), "--from"),
        (("links", "--from", "-1h", "--out", "x.txt"), "--format"),
        (("links", "--from", "now", "--to", "-1h", "--out", "x.csv"), "empty"),
        (("links", "--from", "-1h"), "--out"),
        (("transfers", "--from", "-1h", "--out", "x.csv"), "transfers"),
        (("activities", "--from", "-1h", "--stages", "--out", "x.csv"), "--stages"),
        (("links", "--from", "-1h", "--where", "nobody=1", "--out", "x.csv"), "nobody"),
        (("links", "--from", "-1h", "--out", "nowhere/x.csv"), "cannot be written"),
        (("links", "--from", "-1h", "--out", "nowhere/x.parquet"), "cannot be written"),
    ],
)
def test_what_cannot_be_meant_is_said(
    traffic: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    traffic("export", *arguments, code=2)
    assert sentence in traffic.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    """The rows end in the middle: what stood there before is whole, and nothing is left beside it."""
    from pipeline.cli import export

    file = tmp_path / "out.csv"
    file.write_text("before")

    def broken() -> Any:
        yield ["cms"]
        raise RuntimeError

    for form in export.FORMATS:
        with pytest.raises(RuntimeError):
            export._write(file, form, [Column("vo", "text")], broken(), {})
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert file.read_text() == "before"


def test_without_the_optional_package_csv_can_be_had_and_parquet_says_what_is_missing(
    traffic: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pipeline.cli.parquet")
    traffic("export", "links", *RANGE, "--out", tmp_path / "x.parquet", code=2)
    assert "transferscope[parquet]" in traffic.err
    traffic("export", "links", *RANGE, "--out", tmp_path / "x.csv")
    assert not (tmp_path / "x.parquet").exists()


def test_rows_are_held_a_group_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "many.parquet"
    write_parquet(file, [Column("ok", "count")], ([number] for number in range(3 * ROWS_A_GROUP + 1)), {})
    assert [parquet.ParquetFile(file).metadata.row_group(n).num_rows for n in range(4)] == [*[ROWS_A_GROUP] * 3, 1]
    assert parquet.read_table(file)["ok"].to_pylist() == list(range(3 * ROWS_A_GROUP + 1))


def test_memory_does_not_grow_with_the_rows(database_url: str, shell: Shell, tmp_path: Path) -> None:
    """A process of its own tells how much it ever held, for few rows and for many."""
    shell("replay", write(tmp_path / "one.jsonl", [line(COMPLETE, complete(1))]))
    program = """
import resource, sys
from unittest import mock
import pipeline.store.queries.export as export
from pipeline.cli.main import run
times = int(sys.argv[1])
real = export.export
def repeated(connection, question):
    found = real(connection, question)
    (row,) = list(found.rows)
    object.__setattr__(found, "rows", (row for _ in range(times)))
    return found
with mock.patch("pipeline.cli.export.windows_of", repeated):
    code = run(["export", "links", "--from", "2026-11-22", "--to", "2026-11-23", "--out", sys.argv[2]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""
    held = [
        int(subprocess.run(
            [sys.executable, "-c", program, str(rows), str(tmp_path / "x.parquet")],
            check=True, capture_output=True, text=True, timeout=120,
        ).stdout)
        for rows in (2 * ROWS_A_GROUP, 12 * ROWS_A_GROUP)
    ]  # fmt: skip
    assert held[1] < 1.2 * held[0]


def test_every_report_of_windows_can_be_exported() -> None:
    assert set(EXPORTED) == {name for name, report in REPORTS.items() if report.windows} - {"vo-pairs"}
