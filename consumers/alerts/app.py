"""The process of the rules as a Faust app: what each reads, how often it looks, what its health page says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import faust

from consumers.alerts.backlog import Ask, Backlog
from consumers.alerts.link_health import LinkHealth
from consumers.alerts.measures import measure
from consumers.health import Health
from consumers.kafka.access import KafkaAccess
from consumers.thread import WorkThread
from consumers.worker.page import HealthPage
from pipeline.store import backlog as stored_backlog
from pipeline.store import link_health as stored_link_health
from pipeline.store.backlog import SAMPLE_EVERY_S
from pipeline.store.session import Unavailable
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from schemas.topics import TRANSFERS

log = logging.getLogger(__name__)

GROUP = "transferscope-alerts"
LOOK_EVERY_S = 15.0
POSTGRES = "PostgreSQL"

Changes = stored_backlog.Changes | stored_link_health.Changes


class AlertsConfig(NamedTuple):
    """``health_port`` 0 lets the system choose one. ``asks`` tell what waits; over ``backlog_limit`` is too much."""

    database_url: str
    kafka: KafkaAccess
    health_host: str = "127.0.0.1"
    health_port: int = 0
    asks: tuple[Ask, ...] = ()
    backlog_limit: int = 5000


class _App(faust.App):
    logger = logging.getLogger("faust.transferscope")

    def _create_directories(self) -> None:
        """Faust keeps its tables' files there; there are none, and a container's root cannot be written."""


def create_app(config: AlertsConfig) -> faust.App:
    """A Faust app with an agent on ``transfers`` and the rules that it feeds."""
    context = config.kafka.ssl_context()
    app = _App(
        GROUP,
        broker=";".join(f"kafka://{server}" for server in config.kafka.servers),
        broker_credentials=None if context is None else faust.SSLCredentials(context),
        consumer_auto_offset_reset="latest",
        topic_disable_leader=True,
        autodiscover=False,
    )
    health, telemetry = Health(), Telemetry("alerts")
    page = HealthPage(health, telemetry, config.health_host, config.health_port)
    app.web_server(page)
    link_health = LinkHealth(config.database_url)
    backlog = Backlog(config.database_url, config.asks, config.backlog_limit, partial(measure, telemetry))
    thread = WorkThread("rules")
    waiting = WorkThread("samples")  # a broker that does not answer must not keep the rules waiting

    async def note(transfers: Any) -> None:
        """One bad document must not end the agent: Faust would go on behind it all the same."""
        async for transfer in transfers:
            try:
                link_health.note(transfer)
            except Exception:
                log.exception("a transfer is left out: %.200r", transfer)

    async def look() -> None:
        await run_in(thread, "link-health", link_health.look)

    async def sample() -> None:
        if await run_in(waiting, "backlog", backlog.look):
            telemetry.set(metrics.ALERTS_LAST_RUN, time.time())

    async def run_in(own: WorkThread, name: str, rule: Callable[[], Changes]) -> bool:
        """Whether the store let it be done."""
        began = time.perf_counter()
        try:
            changes = await own.run(rule)
        except Unavailable as error:
            health.trouble(POSTGRES, str(error))
            return False
        except asyncio.CancelledError:
            raise
        else:
            health.well(POSTGRES)
            health.idle()
            telemetry.observe(metrics.ALERTS_RUN, time.perf_counter() - began, name)
            telemetry.add(metrics.ALERTS_RAISED, len(changes.raised), name)
            telemetry.add(metrics.ALERTS_CLEARED, len(changes.cleared), name)
            return True

    app.agent(app.topic(TRANSFERS, key_type=str, key_serializer="raw", value_serializer="json"), name="transfers")(note)
    app.timer(LOOK_EVERY_S)(look)
    app.timer(SAMPLE_EVERY_S)(sample)
    return app
