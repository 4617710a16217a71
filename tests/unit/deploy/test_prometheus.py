"""The files for Prometheus: only metrics that exist, every alert with what to do next, limits of the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from consumers.health import STALLED_S
from pipeline.cli.settings import Settings
from pipeline.telemetry import metrics
from pipeline.telemetry.metrics import Process

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
METRIC = re.compile(r"\btransferscope_\w+")
FIGURE = re.compile(r"\btransferscope:[\w:]+")
Rule = dict[str, Any]


def rules(name: str) -> list[Rule]:
    document = yaml.safe_load((FOLDER / "rules" / name).read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


FIGURES, ALERTS = rules("recording.yml"), rules("alerts.yml")
SAMPLES = {
    f"{metric.name}{ending}"
    for metric in metrics.ALL
    for ending in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}

of_each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


@pytest.mark.parametrize("rule", [*FIGURES, *ALERTS], ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_metrics_and_figures_that_exist(rule: Rule) -> None:
    assert set(METRIC.findall(rule["expr"])) <= SAMPLES
    assert set(FIGURE.findall(rule["expr"])) <= {figure["record"] for figure in FIGURES}


@pytest.mark.parametrize("rule", [*FIGURES, *ALERTS], ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_selects_by_labels_that_the_metric_has(rule: Rule) -> None:
    by_name = {metric.name: metric for metric in metrics.ALL}
    for name, label in re.findall(r"(transferscope_\w+)\{(\w+)", rule["expr"]):
        assert label in by_name[name].labels


@of_each_alert
def test_the_runbook_has_a_section_for_it(alert: Rule) -> None:
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert f"\n### {anchor}\n" in (FOLDER.parents[1] / file).read_text(encoding="utf-8")


@of_each_alert
def test_an_alert_says_what_is_wrong_what_to_do_and_where_to_read(alert: Rule) -> None:
    told = alert["annotations"]
    assert told.keys() == {"summary", "next", "runbook"}
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert re.fullmatch(r"\d+[mh]", alert["for"])
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", alert["alert"].removeprefix("Transferscope")).lower()
    assert told["runbook"] == f"deploy/README.md#{name}"


def test_each_name_is_there_once() -> None:
    for names in ([alert["alert"] for alert in ALERTS], [figure["record"] for figure in FIGURES]):
        assert len(set(names)) == len(names)


def test_limits_are_those_of_the_settings() -> None:
    defaults = Settings()
    by_name = {alert["alert"].removeprefix("Transferscope"): alert["expr"] for alert in ALERTS}
    assert by_name["Backlog"].endswith(f"> {defaults.backlog_limit}")
    assert re.findall(r"> (\d+)", by_name["WorkerLag"]) == [str(defaults.backlog_limit)] * 2
    assert by_name["Freshness"].endswith(f"> {defaults.web_stale_minutes * 60}")
    assert by_name["BridgeStuck"].endswith(f"> {STALLED_S:.0f}")


def test_every_process_is_scraped() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    for process in get_args(Process):
        job = jobs[f"transferscope-{process}"]
        assert job["dns_sd_configs"][0]["names"] == [process]
        assert job["file_sd_configs"][0]["files"] == [f"targets/{process}.yml"]
        assert f'up{{job="transferscope-{process}"}}' in next(
            alert["expr"] for alert in ALERTS if alert["alert"] == "TransferscopeProcessMissing"
        )
