"""The dashboard from Prometheus: metrics that exist, one source, a place for each panel, links to our pages."""

from __future__ import annotations

import itertools
import re
from typing import Any

import yaml

from pipeline.cli.settings import Settings
from pipeline.telemetry import metrics
from tests.support.dashboards import FOLDER, links, load, panels
from tests.unit.deploy.test_prometheus import ALERTS, FIGURES, SAMPLES

BOARD = load(FOLDER / "dashboards" / "prometheus" / "processes.json")
RECORDS = {figure["record"] for figure in FIGURES}
OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
OURS = re.compile(r"\btransferscope(?::[\w:]+|_\w+)|\bprocess_\w+|\bup\b")


def targets() -> list[dict[str, Any]]:
    return [target for panel in panels(BOARD) for target in panel["targets"]]


def test_every_expression_asks_for_what_is_told() -> None:
    for target in targets():
        asked = set(OURS.findall(target["expr"]))
        assert asked, target["expr"]
        assert asked <= SAMPLES | RECORDS | OTHERS


def test_every_figure_of_the_rules_is_drawn() -> None:
    drawn = {name for target in targets() for name in OURS.findall(target["expr"])}
    assert drawn >= RECORDS


def test_every_metric_is_drawn_or_stands_in_a_rule() -> None:
    expressions = [each["expr"] for each in [*targets(), *FIGURES, *ALERTS]]
    asked = {name for expression in expressions for name in OURS.findall(expression)}
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert {metric.name for metric in metrics.ALL} - stems == set()


def test_panels_read_the_source_that_is_provisioned() -> None:
    path = FOLDER / "provisioning" / "datasources" / "prometheus.yaml"
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    for each in [*panels(BOARD), *targets()]:
        assert each["datasource"] == {"type": source["type"], "uid": source["uid"]}


def test_panels_do_not_lie_over_each_other_and_lead_to_our_pages() -> None:
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"], (one, other)
    for panel in panels(BOARD):
        (leads_to,) = links(panel)
        assert re.match(r"\$\{web\}/(queues|quality|alerts)\?from=", leads_to["url"])
        assert panel["description"]


def test_each_series_of_a_panel_has_a_reference_of_its_own() -> None:
    for panel in panels(BOARD):
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        assert all(target["legendFormat"] for target in panel["targets"])


def test_the_line_of_what_waits_is_the_limit_of_the_settings() -> None:
    (waiting,) = [panel for panel in panels(BOARD) if panel["title"] == "Waiting"]
    assert waiting["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == Settings().backlog_limit
