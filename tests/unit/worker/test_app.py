"""The Faust app: what it hosts, what it leaves alone, what its health page says, how its process ends."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from consumers.kafka.access import KafkaAccess, Login
from consumers.worker import app as worker_app
from consumers.worker.config import WorkerConfig, from_environment
from consumers.worker.health import Health
from consumers.worker.page import HealthPage
from pipeline.store.retention import Retention
from pipeline.telemetry.telemetry import Telemetry

NOWHERE = WorkerConfig("postgresql://nobody@127.0.0.1:1/none", KafkaAccess(("127.0.0.1:1", "127.0.0.1:2")))
ENVIRONMENT = {
    "TRANSFERSCOPE_DATABASE_URL": "postgresql://u@h/d",
    "TRANSFERSCOPE_KAFKA_BOOTSTRAP": "a:9092, b:9092",
}


def test_traces_are_switched_on_by_the_environment_too() -> None:
    assert from_environment(ENVIRONMENT).traces_endpoint is None
    more = {"TRANSFERSCOPE_TRACES_ENDPOINT": "http://collector:4318"}
    assert from_environment(ENVIRONMENT | more).traces_endpoint == "http://collector:4318"


def test_a_bare_faust_is_set_by_the_environment() -> None:
    assert from_environment(ENVIRONMENT) == WorkerConfig("postgresql://u@h/d", KafkaAccess(("a:9092", "b:9092")))
    more = {"RETENTION_DAYS": "7", "KAFKA_CA_FILE": "/ca", "KAFKA_CERT_FILE": "/cert", "KAFKA_KEY_FILE": "/key"}
    config = from_environment(ENVIRONMENT | {f"TRANSFERSCOPE_{name}": value for name, value in more.items()})
    assert config.retention_days == 7
    assert config.kafka[1:] == (Path("/ca"), Path("/cert"), Path("/key"), None)
    more = {"KAFKA_CA_FILE": "/ca", "KAFKA_USER": "me", "KAFKA_PASSWORD_FILE": "/pw", "KAFKA_MECHANISM": "PLAIN"}
    config = from_environment(ENVIRONMENT | {f"TRANSFERSCOPE_{name}": value for name, value in more.items()})
    assert config.kafka.login == Login("me", Path("/pw"), "PLAIN")


def test_a_bare_faust_is_told_how_long_windows_are_kept() -> None:
    more = {"TRANSFERSCOPE_WINDOW_RETENTION_DAYS": "40", "TRANSFERSCOPE_HOUR_RETENTION_DAYS": "50"}
    assert from_environment(ENVIRONMENT | more).kept() == Retention(30, 40, 50)
    with pytest.raises(ValueError, match="at least as long"):
        from_environment(ENVIRONMENT | more | {"TRANSFERSCOPE_RETENTION_DAYS": "41"}).kept()


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
def test_a_bare_faust_names_the_variable_that_is_missing(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        from_environment({name: value for name, value in ENVIRONMENT.items() if name != missing})


def test_the_module_makes_its_app_once_and_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(worker_app, "create_app", lambda config: [config])
    try:
        assert worker_app.app == [from_environment(ENVIRONMENT)]
        assert worker_app.app is worker_app.app
    finally:
        vars(worker_app).pop("app", None)
    with pytest.raises(AttributeError):
        worker_app.something_else  # noqa: B018


def test_faust_itself_reads_and_writes_nothing() -> None:
    async def services() -> list[object]:
        boot: Any = worker_app._App("test", autodiscover=False).boot_strategy
        kafka = [*boot.kafka_consumer(), *boot.kafka_producer(), *boot.kafka_conductor(), *boot.tables()]
        return [*kafka, *boot.sensors()]

    assert asyncio.run(services()) == []


def test_the_health_page_answers_200_or_503_with_the_state() -> None:
    health = Health()

    async def look() -> list[tuple[int, Any]]:
        page = HealthPage(health, Telemetry("worker"), "127.0.0.1", 0)
        await page.start()
        try:
            well = await asyncio.to_thread(get, page.address)
            health.trouble("Kafka", "Kafka at a:1 cannot be reached")
            return [well, await asyncio.to_thread(get, page.address)]
        finally:
            await page.stop()

    (well_status, well), (ill_status, ill) = asyncio.run(look())
    assert (well_status, well["healthy"], well["received"]) == (200, True, 0)
    assert (ill_status, ill["healthy"], ill["why"]) == (503, False, "Kafka at a:1 cannot be reached")


def test_a_taken_port_is_known_before_anything_starts() -> None:
    async def take() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
            worker_app.create_app(NOWHERE._replace(health_port=taken.getsockname()[1]))

    asyncio.run(take())


PROGRAM = """
import sys
from mode import Service
from consumers.worker.app import _App
from consumers.worker.process import run

class Crashing(Service):
    @Service.task
    async def _work(self):
        1 / 0

class NotStarting(Service):
    async def on_start(self):
        1 / 0

app = _App("test", autodiscover=False)
app.web_server(Service())
app.service(vars()[sys.argv[1]])
print(repr(run(app)))
"""


@pytest.mark.parametrize("service", ["Crashing", "NotStarting"])
def test_the_process_tells_what_it_crashed_of(service: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, service], capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path
    )
    assert ended.stdout == "ZeroDivisionError('division by zero')\n"
    assert list(tmp_path.iterdir()) == []


def get(address: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)
