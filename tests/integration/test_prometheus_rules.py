"""The rules as promtool sees them: none fires while all is well, each one fires for what it is for, and alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.dashboards import FOLDER, load, panels
from tests.support.prometheus import program
from tests.support.promtool import MINUTES, RULES, firing
from tests.unit.deploy.test_prometheus import ALERTS

CONFIG = RULES.parent / "prometheus.yml"
NAMES = {alert["alert"] for alert in ALERTS}
PROCESSES = ("bridge", "worker", "relay", "alerts", "web")
NOW = f"0+60x{MINUTES}"
"""A time that goes along with the clock of the test, which begins at 0."""


def steady(value: float) -> str:
    return f"{value}x{MINUTES}"


def rising(a_minute: float) -> str:
    return f"0+{a_minute}x{MINUTES}"


def name(metric: str, **labels: str) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"transferscope_{metric}{{{inside}}}" if inside else f"transferscope_{metric}"


def up(process: str) -> str:
    return f'up{{job="transferscope-{process}",instance="{process}:8080"}}'


def requests(status: str) -> str:
    return name("web_requests_total", method="GET", route="/links", status=status)


QUEUE = {"queue": "Consumer.transferscope.transfer.fts_monitoring_complete"}
RECEIVED = name("bridge_received_messages_total")
CONNECTED, CONNECTING = (name("bridge_connections", state=state) for state in ("connected", "connecting"))
OLDEST_UNACKED = name("bridge_oldest_unacknowledged_seconds")
STORED = name("worker_messages_total", outcome="stored")
DEAD = name("worker_dead_letters_total", reason="not_json")
LAST_COMMIT = name("worker_last_commit_timestamp_seconds")
LAG = name("worker_group_lag_messages", topic="fts.transfer")
GROUP_LAG = name("alerts_group_lag_messages", group="transferscope-worker")
LAST_RUN = name("alerts_last_run_timestamp_seconds")
DEPTH, CONSUMERS, OLDEST = (
    name(metric, **QUEUE)
    for metric in ("alerts_queue_messages", "alerts_queue_consumers", "alerts_queue_oldest_seconds")
)
OUTBOX = name("relay_outbox_oldest_seconds")
STORE_UP, SILENT = name("store_up"), name("store_silent_sources")
RECEIVED_AT = name("store_last_received_timestamp_seconds")
FINAL = name("store_final_until_timestamp_seconds", topic="fts.transfer")
CONFIRMED = name("store_topology_confirmed_timestamp_seconds")
KAFKA, POSTGRES = (name("service_up", service=service) for service in ("Kafka", "PostgreSQL"))
SLOW = name("web_request_seconds_bucket", le="+Inf"), name("web_request_seconds_bucket", le="10")
FAST = name("web_request_seconds_bucket", le="1")

WELL: Mapping[str, str] = {
    **{up(process): steady(1) for process in PROCESSES},
    **{name("healthy", process=process): steady(1) for process in PROCESSES[:4]},
    **{name("build_info", process=process, version="1.0"): steady(1) for process in PROCESSES},
    RECEIVED: rising(60_000),
    CONNECTED: steady(6),
    CONNECTING: steady(0),
    OLDEST_UNACKED: steady(0.2),
    STORED: rising(60_000),
    DEAD: rising(1),
    LAST_COMMIT: NOW,
    LAG: steady(500),
    GROUP_LAG: steady(500),
    LAST_RUN: NOW,
    name("alerts_channel_up", channel="log"): steady(1),
    DEPTH: steady(100),
    CONSUMERS: steady(1),
    OLDEST: steady(5),
    OUTBOX: steady(2),
    STORE_UP: steady(1),
    SILENT: steady(0),
    RECEIVED_AT: NOW,
    FINAL: NOW,
    CONFIRMED: NOW,
    KAFKA: steady(1),
    POSTGRES: steady(1),
    requests("200"): rising(600),
    requests("503"): rising(1),
    FAST: rising(600),
    SLOW[1]: rising(600),
    SLOW[0]: rising(600),
}
STOPPED = f"0+60x{MINUTES // 2} {(MINUTES // 2) * 60}x{MINUTES // 2}"
"""A time that has stood still for half an hour."""
NOTHING = ""
UNKNOWN = " ".join(["NaN"] * (MINUTES + 1))
LONG_AGO = f"-{8 * 3600}+60x{MINUTES}"
DAYS_AGO = f"-{3 * 86_400}+60x{MINUTES}"

CASES: dict[str, tuple[Mapping[str, str], set[str]]] = {
    "ProcessDown": ({up("relay"): steady(0)}, set()),
    "ProcessMissing": ({up("relay"): NOTHING}, set()),
    "Unhealthy": ({name("healthy", process="worker"): steady(0)}, set()),
    "AlerterDead": ({LAST_RUN: STOPPED}, set()),
    "NobodyTold": ({name("alerts_channel_up", channel="mail"): steady(0)}, set()),
    "VersionsDiffer": ({name("build_info", process="web", version="1.1"): steady(1)}, set()),
    "DatabaseAway": ({STORE_UP: steady(0)}, set()),
    "KafkaAway": ({KAFKA: steady(0)}, set()),
    "NoBroker": ({CONNECTED: steady(0)}, set()),
    "BrokerAway": ({CONNECTING: steady(1)}, set()),
    "BridgeNotReading": ({RECEIVED: steady(0)}, set()),
    "BridgeStuck": ({OLDEST_UNACKED: steady(61)}, set()),
    "Backlog": ({DEPTH: steady(5001)}, set()),
    "NoConsumer": ({CONSUMERS: steady(0)}, set()),
    "Oldest": ({OLDEST: steady(3601)}, set()),
    "WorkerLag": ({LAG: steady(5001)}, set()),
    "NothingCommitted": ({LAST_COMMIT: STOPPED}, set()),
    "Freshness": ({RECEIVED_AT: STOPPED}, set()),
    "SilentSources": ({SILENT: steady(1)}, set()),
    "DeadLetters": ({DEAD: rising(700)}, set()),
    "Outbox": ({OUTBOX: steady(601)}, set()),
    "Finality": ({FINAL: LONG_AGO}, set()),
    "TopologyAge": ({CONFIRMED: DAYS_AGO}, set()),
    "WebErrors": ({requests("503"): rising(60)}, set()),
    "WebSlow": ({FAST: rising(1)}, set()),
}
"""What is otherwise than well when an alert must fire, and which others fire then too."""

MORE: dict[str, tuple[Mapping[str, str], set[str]]] = {
    "an alerter that never judged": ({LAST_RUN: UNKNOWN}, {"AlerterDead"}),
    "no alerter at all": (
        {LAST_RUN: NOTHING, up("alerts"): NOTHING, DEPTH: NOTHING, CONSUMERS: NOTHING, GROUP_LAG: NOTHING},
        {"AlerterDead", "ProcessMissing"},
    ),
    "lag that only the alerter sees": ({LAG: UNKNOWN, GROUP_LAG: steady(5001)}, {"WorkerLag"}),
    "nothing to read": ({RECEIVED: steady(0), DEPTH: steady(0)}, set()),
    "few dead letters among few messages": ({DEAD: rising(1), STORED: rising(10)}, {"DeadLetters"}),
    "hardly any dead letters": ({DEAD: f"0x{MINUTES - 5} 3x5", STORED: rising(1)}, set()),
    "an empty queue without consumer": ({CONSUMERS: steady(0), DEPTH: steady(0)}, set()),
    "nothing is known of the store": (
        {STORE_UP: steady(0), SILENT: UNKNOWN, RECEIVED_AT: UNKNOWN, CONFIRMED: UNKNOWN},
        {"DatabaseAway"},
    ),
}


@pytest.fixture(scope="module")
def promtool() -> Path:
    return program("promtool")


def fired(promtool: Path, folder: Path, changes: Mapping[str, str]) -> set[str]:
    series = {**WELL, **changes}
    there = {series_name: values for series_name, values in series.items() if values != NOTHING}
    return {alert.removeprefix("Transferscope") for alert in firing(promtool, folder, there, NAMES)}


def test_promtool_finds_nothing_wrong_with_the_files(promtool: Path) -> None:
    rules = [str(path) for path in sorted(RULES.glob("*.yml"))]
    for arguments in (["check", "config", str(CONFIG)], ["check", "rules", *rules]):
        ended = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "FAILED" not in ended.stdout


def test_prometheus_understands_every_expression_of_the_dashboard(promtool: Path, tmp_path: Path) -> None:
    board = load(FOLDER / "dashboards" / "prometheus" / "processes.json")
    asked = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    path = tmp_path / "rules.json"  # which is YAML too
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    ended = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(asked) > 20


def test_each_alert_has_a_case() -> None:
    assert {f"Transferscope{alert}" for alert in CASES} == NAMES


def test_nothing_fires_while_all_is_well(promtool: Path, tmp_path: Path) -> None:
    assert fired(promtool, tmp_path, {}) == set()


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_for_what_it_is_for(alert: str, promtool: Path, tmp_path: Path) -> None:
    changes, others = CASES[alert]
    assert fired(promtool, tmp_path, changes) == {alert} | others


@pytest.mark.parametrize("case", MORE)
def test_what_is_like_it_fires_as_it_should(case: str, promtool: Path, tmp_path: Path) -> None:
    changes, expected = MORE[case]
    assert fired(promtool, tmp_path, changes) == expected
