"""Processes of a container whose root, and so its folder for temporary files too, cannot be written."""

from __future__ import annotations

import tempfile

import pytest

from consumers.alerts.app import AlertsConfig
from consumers.alerts.app import create_app as alerts
from consumers.kafka.access import KafkaAccess
from consumers.worker.app import create_app as worker
from consumers.worker.config import WorkerConfig

URL = "postgresql://nobody@127.0.0.1:1/none"
KAFKA = KafkaAccess(("127.0.0.1:1",))


@pytest.fixture(autouse=True)
def nowhere_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)


def test_a_worker_is_made() -> None:
    assert worker(WorkerConfig(URL, KAFKA))


def test_an_alerter_is_made() -> None:
    assert alerts(AlertsConfig(URL, KAFKA))
