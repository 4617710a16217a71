"""Questions from the shell to a real store: sums, groups, filters, stages, formats."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.store.queries.reports import REPORTS, WIDTHS, Report
from pipeline.store.session import connect
from tests.support import postgres
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.replayed import replayed
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def traffic_url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Between 12:00 and 12:20: CMS moved two files and failed on one, ATLAS one on another link, one is under way."""
    other = {"vo": "atlas", "dst_hostname": "se.desy.de", "t_channel": "=cmd"}
    lines = [
        line(START, start(1, NOON_MS)),
        line(COMPLETE, complete(1, NOON_MS + 1 * MINUTE_MS)),
        line(COMPLETE, complete(2, NOON_MS + 11 * MINUTE_MS, timestamp_tr_st=NOON_MS + 9 * MINUTE_MS)),
        line(
            COMPLETE,
            complete(
                3,
                NOON_MS + 12 * MINUTE_MS,
                t_final_transfer_state="Error",
                tr_bt_transfered=5,
                tr_error_category="CONNECTION_\x1b[31m",
            ),
        ),
        line(COMPLETE, complete(4, NOON_MS + 2 * MINUTE_MS, **other)),
        line(START, start(5, NOON_MS + 13 * MINUTE_MS)),
        line(COMPLETE, "no json"),
    ]
    with replayed(template_url, tmp_path_factory.mktemp("traffic"), lines) as url:
        yield url


@pytest.fixture
def traffic(traffic_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Questions to what no test changes."""
    monkeypatch.setenv(postgres.VARIABLE, traffic_url)
    return Shell(capsys)


COMPUTED = {"dead_letter": {"size"}, "transfer": {"throughput"}, "error_10m": {"id"}}
RANGE = ("--from", "2026-11-22T12:00Z", "--to", "2026-11-22T12:20Z")


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_every_column_of_a_report_is_one_of_its_view(report: Report, traffic_url: str) -> None:
    views = [f"{report.view}_{width}" for width in WIDTHS] if report.windows else [report.view]
    computed = {"efficiency", "throughput"} if report.windows else COMPUTED.get(report.view, set())
    computed |= {f"{stage}_mean" for stage in report.stages}
    with closing(connect(traffic_url)) as connection, connection.cursor() as cursor:
        for view in views:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'report' AND table_name = %s",
                (view,),
            )
            there = {name for (name,) in cursor.fetchall()}
            promised = report.keys if report.compares else (column.name for column in report.columns)
            assert set(promised) - computed <= there


def test_windows_are_the_rows_of_the_view_newest_first(traffic: Shell) -> None:
    rows = traffic.json("query", "links")
    assert [(row["window_start"], row["vo"], row["started"], row["ok"], row["failed"]) for row in rows] == [
        ("2026-11-22T12:10:00Z", "cms", 1, 1, 1),
        ("2026-11-22T12:00:00Z", "atlas", 0, 1, 0),
        ("2026-11-22T12:00:00Z", "cms", 1, 1, 0),
    ]
    assert rows[0]["bytes"] == 1_000_000_005
    assert rows[0]["efficiency"] == 0.5
    assert rows[0]["bytes_moved"] == 500_000_005
    assert rows[0]["throughput"] == pytest.approx(500_000_005 / 600)


def test_groups_add_counts_and_bytes_and_compute_ratios_from_the_sums(traffic: Shell) -> None:
    rows = traffic.json("query", "links", *RANGE, "--by", "vo", "--order", "vo")
    assert [row["technology"] for row in rows] == ["fts", "fts"]
    atlas, cms = rows
    assert (cms["started"], cms["ok"], cms["failed"], cms["aborted"]) == (2, 2, 1, 0)
    assert cms["efficiency"] == pytest.approx(2 / 3)
    assert (cms["bytes"], cms["bytes_ok"], cms["bytes_moved"]) == (2_000_000_005, 2_000_000_000, 2_000_000_005)
    assert cms["throughput"] == pytest.approx(2_000_000_005 / 1200)
    assert (atlas["ok"], atlas["efficiency"]) == (1, 1.0)


def test_no_finished_transfers_give_no_efficiency_rather_than_0_or_1(shell: Shell, tmp_path: Path) -> None:
    shell("replay", write(tmp_path / "r.jsonl", [line(START, start(1))]))
    (row,) = shell.json("query", "links")
    assert row["efficiency"] is None
    (row,) = shell.json("query", "links", "--by", "vo")
    assert (row["started"], row["efficiency"]) == (1, None)


def test_all_of_time_gives_the_same_sums_by_any_width(traffic: Shell) -> None:
    answers = [traffic.json("query", "links", "--by", "src_host,vo", *width) for width in ([], *_windows())]
    for answer in answers[1:]:
        assert [{**row, "updated_at": None} for row in answer] == [{**row, "updated_at": None} for row in answers[0]]


def _windows() -> list[list[str]]:
    return [["--window", width] for width in WIDTHS]


def test_links_of_channels_are_distinct_pairs_over_the_whole_range(traffic: Shell) -> None:
    rows = traffic.json("query", "channels", *RANGE, "--by", "vo", "--order", "vo")
    assert [(row["vo"], row["links"]) for row in rows] == [("atlas", 1), ("cms", 1)]
    (total,) = traffic.json("query", "channels", *RANGE, "--by", "technology")
    assert (total["links"], total["ok"]) == (2, 3)


def test_stages_have_means_and_quantiles_of_the_added_histograms(traffic: Shell) -> None:
    (cms,) = traffic.json("query", "links", *RANGE, "--by", "vo", "--where", "vo=cms", "--stages")
    assert (cms["streaming_count"], cms["streaming_mean"]) == (2, 80_000.0)
    assert 35_000 <= cms["streaming_p50"] <= 45_000
    assert 105_000 <= cms["streaming_p95"] <= 135_000
    assert (cms["srm_prep_count"], cms["srm_prep_mean"], cms["srm_prep_p50"]) == (0, None, None)
    windows = traffic.json("query", "links", "--where", "vo=cms", "--stages")
    assert [row["streaming_mean"] for row in windows] == [120_000.0, 40_000.0]


@pytest.mark.parametrize("options", [[], ["--window", "1h"], ["--by", "vo"], ["--by", "window_start,dst_host"]])
@pytest.mark.parametrize("report", ["links", "channels"])
def test_quantiles_are_those_that_the_views_histograms_give(
    traffic: Shell, traffic_url: str, report: str, options: list[str]
) -> None:
    if report == "channels" and "dst_host" in str(options):
        options = ["--by", "window_start,channel"]
    width = "1h" if "1h" in options else "10m"
    groups = options[1].split(",") if "--by" in options else None
    rows = traffic.json("query", report, *options, *([] if "1h" in options else ["--window", "10m"]), "--stages")
    view = REPORTS[report].view if groups is None else "link"
    keys = groups or [REPORTS[report].time, *REPORTS[report].keys]
    with closing(connect(traffic_url)) as connection, connection.cursor() as cursor:
        for row in rows:
            where = " AND ".join(f"{key} IS NOT DISTINCT FROM %s" for key in keys)
            for stage in ("streaming", "total", "throughput", "srm_prep"):
                cursor.execute(
                    f"SELECT report.hist_quantile(report.hist_sum({stage}_hist), 0.5),"
                    f" report.hist_quantile(report.hist_sum({stage}_hist), 0.95)"
                    f" FROM report.{view}_{width} WHERE {where}",
                    [row[key] for key in keys],
                )
                assert cursor.fetchone() == (row[f"{stage}_p50"], row[f"{stage}_p95"])
    assert any(row["streaming_p95"] for row in rows)


def test_an_answer_can_be_sorted_by_a_quantile_before_the_limit_cuts(traffic: Shell) -> None:
    for order, expected in (("-streaming_p95", [120_000, 40_000]), ("streaming_p95", [40_000, 40_000])):
        rows = traffic.json("query", "links", "--stages", "--order", order, "--limit", "2")
        assert [row["streaming_mean"] for row in rows] == expected
        assert "--limit 0" in traffic.err


@pytest.mark.parametrize(
    ("conditions", "vos"),
    [
        (["vo=cms"], ["cms", "cms"]),
        (["vo=cms", "vo=atlas"], ["atlas", "cms", "cms"]),
        (["vo!=cms"], ["atlas"]),
        (["dst_host~*.DESY.de"], ["atlas"]),
        (["dst_host~se?desy.de"], ["atlas"]),
        (["dst_host~*_*"], []),
        (["dst_host!~*.desy.de"], ["cms", "cms"]),
        (["failed>0"], ["cms"]),
        (["efficiency<1"], ["cms"]),
        (["channel="], []),
        (["fts!="], ["atlas", "cms", "cms"]),
        (["window_start>=2026-11-22T12:10Z"], ["cms"]),
        (["stale=false", "ok>=1", "bytes>1e9"], ["cms"]),
    ],
    ids=" ".join,
)
def test_conditions_choose_rows(traffic: Shell, conditions: list[str], vos: list[str]) -> None:
    options = [option for condition in conditions for option in ("--where", condition)]
    assert sorted(row["vo"] for row in traffic.json("query", "links", *options)) == vos


def test_conditions_on_sums_choose_groups(traffic: Shell) -> None:
    rows = traffic.json("query", "links", "--by", "vo", "--where", "ok>1")
    assert [row["vo"] for row in rows] == ["cms"]


def test_a_value_with_sql_in_it_is_only_a_value(traffic: Shell) -> None:
    assert traffic.json("query", "links", "--where", "vo='; DROP SCHEMA report CASCADE; --%s") == []
    assert len(traffic.json("query", "links")) == 3


def test_the_range_of_transfers_is_half_open(traffic: Shell) -> None:
    rows = traffic.json("query", "transfers", "--from", "2026-11-22T12:01Z", "--to", "2026-11-22T12:02Z")
    assert [row["file_id"] for row in rows] == ["1"]


def test_transfers_in_flight_and_dead_letters_can_be_counted_by_their_keys(traffic: Shell) -> None:
    states = traffic.json("query", "transfers", "--by", "state")
    assert [(row["state"], row["count"], row["bytes"]) for row in states] == [
        ("ok", 3, 3_000_000_000),
        ("failed", 1, 5),
    ]
    assert traffic.json("query", "in-flight", "--by", "closed_by_state,vo") == [
        {"closed_by_state": False, "vo": "cms", "count": 1}
    ]
    assert traffic.json("query", "dead-letters", "--by", "reason") == [{"reason": "not_json", "count": 1, "size": 7}]


def test_the_slowest_transfers_by_time_and_large_ones_by_rate(shell: Shell, tmp_path: Path) -> None:
    facts = {1: (40, 10**9), 2: (10, 10**6), 3: (400, 2 * 10**9), 4: (100, 10**8), 5: (0, 10**9)}
    lines = [
        line(COMPLETE, complete(n, tr_bt_transfered=size, timestamp_tr_st=NOON_MS + 60_000 - seconds * 1000))
        for n, (seconds, size) in facts.items()
    ]
    failed = complete(6, t_final_transfer_state="Error", tr_bt_transfered=10**9, tr_timestamp_start=NOON_MS - 600_000)
    shell("replay", write(tmp_path / "slow.jsonl", [*lines, line(COMPLETE, failed)]))
    slowest = shell.json("query", "transfers", "--order", "-streaming_ms", "--limit", "2")
    assert [(row["file_id"], row["streaming_ms"]) for row in slowest] == [("3", 400_000), ("4", 100_000)]
    (longest,) = shell.json("query", "transfers", "--order", "-total_ms", "--limit", "1")
    assert (longest["file_id"], longest["total_ms"]) == ("6", 660_000)
    rows = shell.json("query", "transfers", "--order", "throughput", "--where", "bytes>=100000000")
    # No rate without a time, and of a failed one: they come last.
    assert [(row["file_id"], row["throughput"]) for row in rows[:3]] == [
        ("4", 10**6),
        ("3", 5 * 10**6),
        ("1", 25 * 10**6),
    ]
    assert {row["file_id"]: row["throughput"] for row in rows[3:]} == {"5": None, "6": None}
    assert len(shell.json("query", "transfers", "--where", "throughput<2000000")) == 2


def test_the_limit_says_that_there_are_more(traffic: Shell) -> None:
    assert len(traffic.json("query", "links", "--limit", "2")) == 2
    assert "--limit 0" in traffic.err
    assert len(traffic.json("query", "links", "--limit", "3")) == 3
    assert traffic.err == ""
    assert len(traffic.json("query", "links", "--limit", "0")) == 3


def test_csv_has_all_columns_and_no_cell_that_a_spreadsheet_would_run(traffic: Shell) -> None:
    text = traffic("query", "links", "--where", "vo=atlas", "--format", "csv")
    header, row = csv.reader(io.StringIO(text, newline=""))
    assert header == [column.name for column in REPORTS["links"].columns]
    assert row[header.index("channel")] == "'=cmd"
    assert row[header.index("bytes")] == "1000000000"
    assert row[header.index("final_at")] == ""


def test_a_table_fits_a_screen_has_units_and_cannot_act_on_the_terminal(traffic: Shell) -> None:
    text = traffic("query", "transfers", "--where", "state=failed")
    assert text.splitlines()[0].split() == list(REPORTS["transfers"].screen)
    assert "\x1b" not in text
    assert "5 B" in text
    assert "CONNECTION_\\x1b[31m" in text
    assert traffic.err == "1 row\n"


def test_a_reader_that_leaves_before_the_end_leaves_no_trace(shell: Shell, tmp_path: Path) -> None:
    starts = write(tmp_path / "many.jsonl", [line(START, start(n, src_hostname=f"h{n}.example")) for n in range(3000)])
    shell("replay", starts)
    script = "from pipeline.cli.main import main; main(['query', 'links', '--limit', '0', '--format', 'csv'])"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"window_start,")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


def test_what_cannot_be_asked_is_wrong_usage(traffic: Shell) -> None:
    for arguments, hint in (
        (["links", "--by", "bytes"], "cannot be grouped by"),
        (["links", "--where", "nope=1"], "have no column 'nope'"),
        (["links", "--from", "now", "--to", "-1h"], "the range is empty"),
        (["links", "--order", "nope"], "no column 'nope' to sort by"),
        (["transfers", "--window", "1h"], "have no windows"),
        (["in-flight", "--stages"], "have no stages"),
    ):
        assert traffic("query", *arguments, code=2) == ""
        assert hint in traffic.err
        assert traffic.err.count("\n") == 1


def test_a_database_that_was_never_initialised_is_said(shell: Shell, template_url: str) -> None:
    with closing(connect(template_url)):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFERSCOPE_DATABASE_URL", template_url.replace("/test_", "/nothere_"))
        shell("query", "links", code=3)
    assert "PostgreSQL at" in shell.err
