"""The committed Grafana files: as the program writes them, whole, and within the rules of our own pages."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana import build
from pipeline.cli.settings import REGISTRY
from tests.support.dashboards import BUILT_IN, FILES, FOLDER, VARIABLE, Json, links, load, panels, statements

EXPECTED = ["errors", "in-flight", "link", "matrix", "overview", "quality", "queues", "site"]
UNITS = {"decbytes", "Bps", "s", "percentunit", "short", "dateTimeAsIso"}
STORED_TIMES = re.compile(
    r"\breport\.(?:link|channel|endpoint|activity|vo_link|vo_site)_\$|\breport\.(?:\w+_10m|queue_sample|backlog)\b"
)
RANGE = re.compile(r"\$__timeFilter\((window_start|sampled_at)\) AND \1 < \$__timeTo\(\)")
WEEK_BEFORE = re.compile(
    r"window_start >= \$__timeFrom\(\)::timestamptz - (interval '7 days')"
    r" AND window_start < \$__timeTo\(\)::timestamptz - \1"
)
TRAFFIC_LIGHTS = {"red", "green", "dark-green", "semi-dark-green", "light-green", "super-light-green"}

of_each_board = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_the_files_are_those_that_the_program_writes(tmp_path: Path) -> None:
    build.main([str(tmp_path)])
    written = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.json")}
    folder = FOLDER / "dashboards"
    assert written == {path.relative_to(folder): path.read_text() for path in folder.rglob("*.json")}
    assert sorted(path.stem for path in FILES) == EXPECTED


def test_links_lead_where_the_program_is_told() -> None:
    for content in build.files("https://monitor.example.org").values():
        assert '"https://monitor.example.org"' in content
        assert build.WEB not in content


def test_each_uid_is_there_once_and_dashboards_know_each_other() -> None:
    boards = [load(path) for path in FILES]
    uids = [board["uid"] for board in boards]
    assert len(set(uids)) == len(uids)
    for board in boards:
        others = {f"/d/{uid}" for uid in uids if uid != board["uid"]}
        assert {link["url"] for link in board["links"]} == others
        assert all(link["keepTime"] and link["includeVars"] for link in board["links"])


@of_each_board
def test_a_dashboard_is_read_only_in_utc_and_renewed_each_minute(path: Path) -> None:
    board = load(path)
    assert (board["editable"], board["timezone"], board["refresh"]) == (False, "utc", "1m")
    assert board["time"] == {"from": "now-24h", "to": "now"}


@of_each_board
def test_panels_have_a_place_of_their_own(path: Path) -> None:
    board = load(path)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    places = [panel["gridPos"] for panel in board["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@of_each_board
def test_variables_that_are_used_are_there_and_those_that_are_there_are_used(path: Path) -> None:
    board = load(path)
    known = {variable["name"] for variable in board["templating"]["list"]}
    texts = [sql for _, sql in statements(board)]
    texts += [link["url"] for panel in panels(board) for link in links(panel)]
    texts += [panel["title"] for panel in board["panels"]]
    used = {name for text in texts for name, _, _ in VARIABLE.findall(text)}
    assert used - set(BUILT_IN) == known


@of_each_board
def test_names_to_choose_from_come_from_small_views(path: Path) -> None:
    for variable in load(path)["templating"]["list"]:
        if variable["type"] == "query":
            assert re.search(r"FROM report\.(party|place)\b", variable["query"])
            assert "_10m" not in variable["query"]
            assert variable["sort"] == 1


@of_each_board
def test_every_question_about_windows_is_of_the_range_or_of_that_a_week_before(path: Path) -> None:
    board = load(path)
    for panel in panels(board):
        for target in panel["targets"]:
            sql = target["rawSql"]
            ranges = len(RANGE.findall(sql)) + len(WEEK_BEFORE.findall(sql))
            assert ranges == len(STORED_TIMES.findall(sql)), panel["title"]
            assert (target["format"] == "time_series") == bool(re.search(r"\bAS time\b", sql)), panel["title"]


@of_each_board
def test_units_are_decimal_and_gaps_stay_gaps(path: Path) -> None:
    board = load(path)
    assert panels(board)
    for panel in panels(board):
        found = set(units(panel))
        assert found <= UNITS, panel["title"]
        if panel["type"] == "timeseries":
            custom = panel["fieldConfig"]["defaults"]["custom"]
            assert custom["spanNulls"] is False
            assert "nullValueMode" not in panel["fieldConfig"]["defaults"]
        assert "coalesce(sum" not in str(panel["targets"]), "none is not 0"


@of_each_board
def test_no_colour_is_of_a_traffic_light(path: Path) -> None:
    for panel in panels(load(path)):
        assert not TRAFFIC_LIGHTS.intersection(strings(panel["fieldConfig"])), panel["title"]


@of_each_board
def test_every_panel_leads_to_a_page_of_ours_over_the_same_range(path: Path) -> None:
    for panel in panels(load(path)):
        found = links(panel)
        assert found, panel["title"]
        for link in found:
            assert link["url"].startswith("${web}/")
            assert "?from=${__from}&to=${__to}" in link["url"]


@of_each_board
def test_every_panel_reads_the_one_source_that_is_provisioned(path: Path) -> None:
    provisioned = (FOLDER / "provisioning" / "datasources" / "transferscope.yaml").read_text()
    uid = re.search(r"^\s+uid: (\S+)$", provisioned, re.MULTILINE)
    kind = re.search(r"^\s+type: (\S+)$", provisioned, re.MULTILINE)
    assert uid is not None
    assert kind is not None
    board = load(path)
    asking = [*panels(board), *(each for each in board["templating"]["list"] if each["type"] == "query")]
    asking += [target for panel in panels(board) for target in panel["targets"]]
    assert {(each["datasource"]["uid"], each["datasource"]["type"]) for each in asking} == {(uid[1], kind[1])}


def test_the_line_of_the_backlog_is_the_limit_of_the_settings() -> None:
    (limit,) = [setting.default for setting in REGISTRY if setting.name == "backlog_limit"]
    drawn = [
        panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"]
        for panel in panels(load(FOLDER / "dashboards" / "queues.json"))
        if panel["type"] == "timeseries" and "report.backlog" in str(panel["targets"])
    ]
    assert drawn == [limit]


def test_stages_are_never_stacked() -> None:
    stages = [panel for panel in panels(load(FOLDER / "dashboards" / "link.json")) if "_hist)" in str(panel["targets"])]
    assert len(stages) == 7
    for panel in stages:
        assert panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "none"


def units(panel: Json) -> list[str]:
    config = panel["fieldConfig"]
    found = [config["defaults"]["unit"]] if "unit" in config["defaults"] else []
    for override in config["overrides"]:
        found += [each["value"] for each in override["properties"] if each["id"] == "unit"]
    return found


def strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(strings(each) for each in value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*(strings(each) for each in value)) if value else set()
    return {value} if isinstance(value, str) else set()
