"""Topologies from dumps, from the shell: a site renamed in the middle of a window, refusals, several sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

DATA = Path(__file__).resolve().parents[1] / "data" / "topology"
RENAMED = "2026-11-22T12:04:00Z"
MINUTE = 60_000


def cric(folder: Path, places: dict[str, str]) -> Path:
    """A dump of CRIC's storage services."""
    path = folder / "se.json"
    services = {
        host: {"rcsite": site, "protocols": {"p": {"endpoint": f"davs://{host}:443/"}}} for host, site in places.items()
    }
    path.write_text(json.dumps(services))
    return path


def test_a_site_renamed_in_the_middle_of_a_window_has_each_name_in_its_time(shell: Shell, tmp_path: Path) -> None:
    shell("topology", "load", cric(tmp_path, {"eoscms.cern.ch": "CERN-OLD", "storm.cnaf.infn.it": "INFN-T1"}))
    transfers = [line(COMPLETE, complete(n, NOON_MS + n * MINUTE)) for n in range(1, 7)]
    shell("replay", write(tmp_path / "r.jsonl", transfers))
    by_site = ("query", "links", "--by", "window_start,src_site")
    (before,) = shell.json(*by_site)
    assert (before["window_start"], before["src_site"], before["ok"]) == ("2026-11-22T12:00:00Z", "CERN-OLD", 6)

    renamed = cric(tmp_path, {"eoscms.cern.ch": "CERN-NEW", "storm.cnaf.infn.it": "INFN-T1"})
    loaded = shell.json("topology", "load", "--from", RENAMED, renamed)
    assert (loaded["revision"], loaded["is_new"], loaded["changes"], loaded["stale"]) == (2, True, 1, 1)
    # Not before recompute: what was written keeps the revision that wrote it.
    assert [row["src_site"] for row in shell.json(*by_site)] == ["CERN-OLD"]
    report = shell.json("recompute", "--dry-run")
    cells = {(cell["src_site"], cell["column"]): (cell["before"], cell["after"]) for cell in report["examples"]}
    assert cells["CERN-OLD", "ok"] == (6, 3)
    assert cells["CERN-NEW", "ok"][1] == 3
    shell.json("recompute")

    # The transfers of 12:01, 12:02 and 12:03, and those of 12:04, 12:05 and 12:06.
    after = {row["src_site"]: (row["window_start"], row["ok"]) for row in shell.json(*by_site)}
    assert after == {"CERN-OLD": ("2026-11-22T12:00:00Z", 3), "CERN-NEW": ("2026-11-22T12:00:00Z", 3)}
    assert shell.json("verify")["differing"] == 0
    shown = [
        shell.json("topology", "show", "eoscms.cern.ch", "--at", at)["answers"][0]["site"]
        for at in ("2026-11-22T12:03:59Z", RENAMED)
    ]
    assert shown == ["CERN-OLD", "CERN-NEW"]


def test_a_day_on_which_bytes_of_a_renamed_sites_transfer_moved_is_rebuilt_with_the_day_of_its_end(
    shell: Shell, tmp_path: Path
) -> None:
    midnight = NOON_MS + 12 * 60 * MINUTE
    shell("topology", "load", cric(tmp_path, {"eoscms.cern.ch": "CERN-OLD"}))
    over_midnight = complete(1, midnight + 5 * MINUTE, timestamp_tr_st=midnight - 15 * MINUTE)
    messages = [line(COMPLETE, body, midnight + 6 * MINUTE) for body in (over_midnight, complete(2, NOON_MS))]
    shell("replay", write(tmp_path / "r.jsonl", messages))
    moved = ("query", "links", "--window", "1d", "--by", "window_start,src_site")
    shell("topology", "load", cric(tmp_path, {"eoscms.cern.ch": "CERN-NEW"}), "--from", "2026-11-22T20:00Z")

    # The day of its end alone is asked for; three quarters of its bytes moved on the day before.
    report = shell.json("recompute", "--from", "2026-11-23T00:00Z")
    assert (report["days"], report["rows"]) == (1, 1)
    rows = {(row["window_start"][:10], row["src_site"]): row["bytes_moved"] for row in shell.json(*moved)}
    assert rows == {
        ("2026-11-22", "CERN-OLD"): 1_000_000_000,
        ("2026-11-22", "CERN-NEW"): 750_000_000,
        ("2026-11-23", "CERN-NEW"): 250_000_000,
    }
    assert shell.json("verify")["differing"] == 0
    # Nothing is left to change, so no day is rebuilt for another's sake: each cell is looked at once.
    again = shell.json("recompute")
    assert (again["days"], again["changed"], again["cells"]) == (2, 0, shell.json("verify")["cells"])


def test_the_same_dumps_again_are_no_new_revision(shell: Shell) -> None:
    sources = [
        DATA / name for name in ("cric_se_subset.json", "cric_domains_subset.json", "osg_topology_se_hosts.json")
    ]
    first = shell.json("topology", "load", *sources)
    assert any("data-bridge.cern.ch" in warning for warning in first["warnings"])
    again = shell.json("topology", "load", *sources)
    assert (again["revision"], again["is_new"], again["changes"]) == (first["revision"], False, 0)
    shown = shell.json("topology", "show", "lpsc.in2p3.fr")["answers"][0]
    assert (shown["site"], shown["status"]) == ("IN2P3-CC", "domain")


def test_a_broken_or_half_empty_dump_is_refused_and_the_old_one_stays(shell: Shell, tmp_path: Path) -> None:
    shell("topology", "load", cric(tmp_path, {f"se{n}.a.fr": "A" for n in range(9)}))
    whole = (tmp_path / "se.json").read_bytes()
    (tmp_path / "cut.json").write_bytes(whole[:200])
    shell("topology", "load", tmp_path / "cut.json", code=2)
    assert "not complete JSON" in shell.err
    few = cric(tmp_path, {"se1.a.fr": "B"})
    shell("topology", "load", few, code=2)
    assert "1 hosts where the one in use has 9" in shell.err
    assert shell.json("topology", "show", "se1.a.fr")["revision"] == 1
    assert shell.json("topology", "load", "--force", few)["revision"] == 2
    assert shell.json("topology", "show", "se1.a.fr")["answers"][0]["site"] == "B"


def test_a_format_can_be_forced_and_a_wrong_one_is_refused(shell: Shell, tmp_path: Path) -> None:
    dump = cric(tmp_path, {"se1.a.fr": "A"})
    shell("topology", "load", "--as", "gocdb", dump, code=2)
    assert "get_service_endpoint" in shell.err
    assert shell.json("topology", "load", "--as", "cric-se", dump)["revision"] == 1
