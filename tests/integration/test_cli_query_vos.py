"""VOs side by side, and each beside the others: what is sent is recounted here, window by window."""

from __future__ import annotations

import json
import random
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import Database
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

WINDOW_MS, SECOND = 600_000, 1000
DAY = ("--from", "2026-11-22T12:00Z", "--to", "2026-11-23T12:00Z")
LINK = "eoscms.cern.ch", "storm.cnaf.infn.it"
WINDOWS = 40


class Sent:
    """Windows of two VOs on one link: bytes and outcomes of each, as they were sent."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.sizes: dict[tuple[str, int], list[int]] = {}
        self.failed: Counter[tuple[str, int]] = Counter()

    def ok(self, vo: str, window: int, size: int, **fields: Any) -> None:
        """A file that streamed for ten seconds within the window."""
        self.sizes.setdefault((vo, window), []).append(size)
        self._send(vo, window, tr_bt_transfered=size, **fields)

    def fail(self, vo: str, window: int, **fields: Any) -> None:
        self.failed[vo, window] += 1
        times = dict.fromkeys(("timestamp_tr_st", "timestamp_tr_comp"), 0)
        self._send(vo, window, t_final_transfer_state="Error", tr_bt_transfered=0, **times | fields)

    def _send(self, vo: str, window: int, **fields: Any) -> None:
        end_ms = NOON_MS + window * WINDOW_MS + 120 * SECOND
        times = {"timestamp_tr_st": end_ms - 10 * SECOND, "vo": vo}
        self.lines.append(line(COMPLETE, complete(len(self.lines), end_ms, **times | fields), end_ms))


@pytest.fixture
def sent(shell: Shell, tmp_path: Path) -> Sent:
    """CMS in all windows but the last five, ATLAS in all but the first five; ATLAS fails where CMS does, and more."""
    rng, sent = random.Random(11), Sent()
    for window in range(WINDOWS - 5):
        sent.ok("cms", window, rng.randrange(1, 9) * 10**9)
        sent.ok("cms", window, 10**9)
        if window % 4 == 0:
            sent.fail("cms", window)
    for window in range(5, WINDOWS):
        sent.ok("atlas", window, rng.randrange(1, 9) * 10**8)
        if window % 4 == 0 or window % 7 == 0:
            sent.fail("atlas", window)
    sent.ok("lhcb", 9, 10**6)
    shell("replay", write(tmp_path / "vos.jsonl", sent.lines))
    return sent


def ranks(values: Sequence[float]) -> list[float]:
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]


def test_the_vos_of_a_window_stand_together_with_their_shares(sent: Sent, shell: Shell) -> None:
    at = ("--from", "2026-11-22T13:30Z", "--to", "2026-11-22T13:40Z")
    rows = shell.json("query", "vos", *at)
    moved = {vo: sum(sent.sizes[vo, 9]) for vo in ("cms", "atlas", "lhcb")}
    assert [row["vo"] for row in rows] == ["cms", "atlas", "lhcb"]
    for row in rows:
        assert (row["window_start"], row["src_host"], row["dst_host"], row["vos"]) == ("2026-11-22T13:30:00Z", *LINK, 3)
        assert row["bytes_moved"] == moved[row["vo"]]
        assert row["share"] == pytest.approx(moved[row["vo"]] / sum(moved.values()))
    # Choosing one of them leaves its share of all.
    (alone,) = shell.json("query", "vos", *at, "--where", "vo=atlas")
    assert alone == next(row for row in rows if row["vo"] == "atlas")


def test_groups_are_over_the_range_and_always_hold_the_vo(sent: Sent, shell: Shell) -> None:
    rows = shell.json("query", "vos", *DAY, "--by", "dst_site", "--window", "1h")
    moved: Counter[str] = Counter()
    for (vo, _), sizes in sent.sizes.items():
        moved[vo] += sum(sizes)
    assert [(row["technology"], row["dst_site"], row["vo"], row["bytes_moved"]) for row in rows] == [
        ("fts", "unknown", vo, size) for vo, size in moved.most_common()
    ]
    assert [row["share"] for row in rows] == pytest.approx([size / moved.total() for _, size in moved.most_common()])
    cms_ok, cms_failed = 2 * (WINDOWS - 5), sum(n for (vo, _), n in sent.failed.items() if vo == "cms")
    assert (rows[0]["ok"], rows[0]["failed"]) == (cms_ok, cms_failed)
    assert rows[0]["efficiency"] == pytest.approx(cms_ok / (cms_ok + cms_failed))
    narrow = shell.json("query", "vos", *DAY, "--by", "vo", "--where", "failed>0", "--order", "vo")
    # Windows of each width are written by a statement of their own.
    assert all(row.pop("updated_at") for row in (*narrow, *rows))
    assert narrow == [{name: value for name, value in row.items() if name != "dst_site"} for row in (rows[1], rows[0])]


def test_views_have_the_same_numbers_for_links_and_for_both_ends_of_a_site(
    sent: Sent, shell: Shell, database: Database
) -> None:
    for view in ("vo_link_10m", "vo_link_1h", "vo_link_1d"):
        assert database.ask(
            f"SELECT vo, sum(ok)::int, sum(bytes_moved)::bigint FROM report.{view} GROUP BY 1 ORDER BY 1"
        ) == [
            (vo, *map(sum, zip(*((len(s), sum(s)) for (v, _), s in sent.sizes.items() if v == vo), strict=True)))
            for vo in ("atlas", "cms", "lhcb")
        ]
    rows = shell.json("query", "vo-sites", "--by", "site,direction", "--where", "vo=lhcb")
    assert [(row["site"], row["direction"], row["vo"], row["ok"], row["vos"]) for row in rows] == [
        ("unknown", "in", "lhcb", 1, 3),
        ("unknown", "out", "lhcb", 1, 3),
    ]
    shares = database.ask("SELECT sum(share), count(DISTINCT vos) FROM report.vo_link_10m GROUP BY window_start, vos")
    assert all(total == pytest.approx(round(total)) for total, _ in shares)


def test_local_traffic_of_a_site_is_told_once(shell: Shell, database: Database, tmp_path: Path) -> None:
    topology = tmp_path / "sites.json"
    domain = {"domain": "cnaf.infn.it", "sites": ["CNAF"]}
    topology.write_text(json.dumps({"format": 1, "sites": [{"name": "CNAF"}], "domains": [domain]}))
    shell("topology", "load", topology)
    ends: dict[str, Any] = {"src_hostname": "a.cnaf.infn.it", "dst_hostname": "b.cnaf.infn.it"}
    shell("replay", write(tmp_path / "local.jsonl", [line(COMPLETE, complete(1, **ends))]))
    assert database.ask("SELECT site, direction, ok, share FROM report.vo_site_1d") == [("CNAF", "local", 1, 1.0)]


def test_a_pair_is_compared_window_by_window(sent: Sent, shell: Shell) -> None:
    (row,) = shell.json("query", "vo-pairs", *DAY, "--where", "vo=cms", "--where", "other_vo=atlas")
    both = [w for w in range(WINDOWS) if ("cms", w) in sent.sizes and ("atlas", w) in sent.sizes]
    alone = [w for w in range(5)]

    def sizes(vo: str, windows: Sequence[int]) -> list[int]:
        return [size for w in windows for size in sent.sizes[vo, w]]

    def failing(vo: str, window: int) -> bool:
        failed = sent.failed[vo, window]
        return failed >= 0.2 * (failed + len(sent.sizes[vo, window]))

    def efficiency(windows: Sequence[int]) -> float:
        ok = len(sizes("cms", windows))
        return ok / (ok + sum(sent.failed["cms", w] for w in windows))

    cms_fails, atlas_fails = ([failing(vo, w) for w in both] for vo in ("cms", "atlas"))
    cms_moved, atlas_moved = ([sum(sent.sizes[vo, w]) for w in both] for vo in ("cms", "atlas"))
    assert (row["src_host"], row["dst_host"], row["vo"], row["other_vo"]) == (*LINK, "cms", "atlas")
    assert (row["windows"], row["together"]) == (WINDOWS - 5, len(both))
    assert row["failing"] == sum(cms_fails) > 0
    assert row["other_failing"] == sum(atlas_fails) > row["failing"]
    assert row["both_failing"] == sum(a and b for a, b in zip(cms_fails, atlas_fails, strict=True)) > 0
    assert row["failing_correlation"] == pytest.approx(statistics.correlation(cms_fails, atlas_fails))
    assert row["throughput_correlation"] == pytest.approx(statistics.correlation(ranks(cms_moved), ranks(atlas_moved)))
    assert (row["bytes_together"], row["other_bytes_together"]) == (sum(cms_moved), sum(atlas_moved))
    assert row["share"] == pytest.approx(sum(cms_moved) / (sum(cms_moved) + sum(atlas_moved)))
    assert row["efficiency_together"] == pytest.approx(efficiency(both))
    assert row["efficiency_alone"] == pytest.approx(efficiency(alone))
    assert row["throughput_together"] == pytest.approx(statistics.mean(sizes("cms", both)) / 10)
    assert row["throughput_alone"] == pytest.approx(statistics.mean(sizes("cms", alone)) / 10)


def test_few_windows_have_no_correlation_and_each_pair_stands_in_both_orders(sent: Sent, shell: Shell) -> None:
    rows = shell.json("query", "vo-pairs", *DAY, "--by", "fts", "--where", "other_vo=lhcb")
    assert [(row["fts"], row["vo"], row["together"], row["throughput_correlation"]) for row in rows] == [
        ("fts3.cern.ch", "atlas", 1, None),
        ("fts3.cern.ch", "cms", 1, None),
    ]
    pairs = shell.json("query", "vo-pairs", *DAY, "--by", "vo")
    assert [(row["vo"], row["other_vo"]) for row in pairs] == [
        *[("atlas", "cms"), ("cms", "atlas")],
        *[("atlas", "lhcb"), ("cms", "lhcb"), ("lhcb", "atlas"), ("lhcb", "cms")],
    ]
    hours = shell.json("query", "vo-pairs", *DAY, "--by", "vo", "--window", "1h", "--where", "together>1")
    assert [(row["together"], row["windows"]) for row in hours] == [(6, 7), (6, 6)]


def test_pairs_without_failures_that_are_told_have_no_efficiency(shell: Shell, tmp_path: Path) -> None:
    sent = Sent()
    for vo in ("cms", "atlas"):
        sent.ok(vo, 0, 0, timestamp_tr_st=0, t_final_transfer_state="Abort")
    shell("replay", write(tmp_path / "aborted.jsonl", sent.lines))
    row, _ = shell.json("query", "vo-pairs")
    told = {name: value for name, value in row.items() if name not in ("windows", "together") and value is not None}
    assert {name: value for name, value in told.items() if not isinstance(value, str)} == {
        **dict.fromkeys(("failing", "other_failing", "both_failing", "bytes_together", "other_bytes_together"), 0),
    }


def test_a_table_shows_how_vos_go_together(sent: Sent, shell: Shell) -> None:
    table = shell("query", "vo-pairs", *DAY, "--by", "src_host,dst_host", "--where", "vo=cms", "--limit", "1")
    head, row, *_ = table.splitlines()
    assert head.split()[:4] == ["technology", "src_host", "dst_host", "vo"]
    assert "MB/s" in row
    assert "+0." in row or "-0." in row


@pytest.mark.parametrize(
    "asked", [("vo-pairs", "--by", "window_start"), ("vo-pairs", "--where", "vo>a"), ("vos", "--stages")]
)
def test_what_cannot_be_asked_is_refused(shell: Shell, asked: tuple[str, ...]) -> None:
    shell("query", *asked, code=2)
    assert asked[0] in shell.err or "vo cannot" in shell.err
