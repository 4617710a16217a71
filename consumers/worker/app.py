"""The worker's process as a Faust app: what starts, what stops, what a crash takes down.

``faust -A consumers.worker.app worker`` runs it with the settings of the environment, ``transferscope worker`` with all
of them. Faust supervises; it reads no topic here (README.md says why).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

import faust
from faust.app.base import BootStrategy

from consumers.kafka.consumer import BulkConsumer
from consumers.worker.config import GROUP, TOPICS, WorkerConfig, from_environment
from consumers.worker.finality import Finality, QueuesLook, nobody_asks
from consumers.worker.health import Health
from consumers.worker.housekeeper import Housekeeping
from consumers.worker.loop import Loop
from consumers.worker.measures import Measures
from consumers.worker.page import HealthPage
from consumers.worker.service import BulkIngest
from consumers.worker.writer import Writer
from pipeline.ingest import Ingest
from pipeline.ingest.user_key import read_user_key
from pipeline.telemetry.telemetry import Telemetry


class _NoStreams(BootStrategy):
    """Only what we host: no consumer, producer, tables or statistics of Faust's own."""

    enable_kafka = False
    enable_sensors = False


class _App(faust.App):
    BootStrategy = _NoStreams
    logger = logging.getLogger("faust.transferscope")

    def _create_directories(self) -> None:
        """Faust keeps its tables' files there; there are none, and a container's root cannot be written."""


def create_app(config: WorkerConfig, queues: QueuesLook = nobody_asks) -> faust.App:
    """A Faust app that hosts the ingest of the bulk topics, its health page, and what one of the workers does for all.

    ``queues`` tells whether the brokers' queues are empty, so that windows become final when nothing comes.
    """
    broker = ";".join(f"kafka://{server}" for server in config.kafka.servers)
    user_key = read_user_key(config.user_hash_key_file)
    app = _App(GROUP, broker=broker, autodiscover=False)
    health, telemetry = Health(), Telemetry("worker", config.traces_endpoint)
    measures = Measures(telemetry)
    page = HealthPage(health, telemetry, config.health_host, config.health_port)

    def loop() -> Loop:
        ingest = Ingest(config.database_url, config.retention_days, page.address, user_key, measures)

        def source(before_revoke: Callable[[], Awaitable[None]]) -> BulkConsumer:
            return BulkConsumer(config.kafka, TOPICS, GROUP, before_revoke)

        return Loop(source, Writer(ingest, health), health, measures)

    app.web_server(page)
    app.service(BulkIngest(loop, health))  # type: ignore[arg-type]  # it takes instances too
    app.service(Housekeeping(config.database_url, config.kept()))  # type: ignore[arg-type]
    app.service(Finality(config.database_url, config.kafka, queues, telemetry))  # type: ignore[arg-type]
    return app


def __getattr__(name: str) -> Any:
    """``app``, made when the ``faust`` command asks for it: importing this module needs no settings."""
    if name == "app":
        app = globals()["app"] = create_app(from_environment(os.environ))
        return app
    raise AttributeError(name)
