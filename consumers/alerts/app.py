"""The process of the rules as a Faust app: what each reads, how often it looks, what its health page says."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from typing import Any, NamedTuple

import faust

from consumers.alerts.link_health import LinkHealth
from consumers.kafka.access import KafkaAccess
from consumers.thread import WorkThread
from consumers.worker.health import Health
from consumers.worker.page import HealthPage
from pipeline.store.session import Unavailable
from schemas.topics import TRANSFERS

log = logging.getLogger(__name__)

GROUP = "transferscope-alerts"
LOOK_EVERY_S = 15.0
POSTGRES = "PostgreSQL"


class AlertsConfig(NamedTuple):
    """``health_port`` 0 lets the system choose one."""

    database_url: str
    kafka: KafkaAccess
    health_host: str = "127.0.0.1"
    health_port: int = 0


class _App(faust.App):
    logger = logging.getLogger("faust.transferscope")

    def _create_directories(self) -> None:
        """Faust keeps its tables' files there; without tables an empty folder would be left behind."""


def create_app(config: AlertsConfig) -> faust.App:
    """A Faust app with an agent on ``transfers`` and the rules that it feeds."""
    context = config.kafka.ssl_context()
    app = _App(
        GROUP,
        broker=";".join(f"kafka://{server}" for server in config.kafka.servers),
        broker_credentials=None if context is None else faust.SSLCredentials(context),
        consumer_auto_offset_reset="latest",
        topic_disable_leader=True,
        datadir=tempfile.gettempdir(),
        autodiscover=False,
    )
    health = Health()
    page = HealthPage(health, config.health_host, config.health_port)
    app.web_server(page)
    link_health = LinkHealth(config.database_url)
    thread = WorkThread("rules")

    async def note(transfers: Any) -> None:
        """One bad document must not end the agent: Faust would go on behind it all the same."""
        async for transfer in transfers:
            try:
                link_health.note(transfer)
            except Exception:
                log.exception("a transfer is left out: %.200r", transfer)

    async def look() -> None:
        try:
            await thread.run(link_health.look)
        except Unavailable as error:
            health.trouble(POSTGRES, str(error))
        except asyncio.CancelledError:
            raise
        else:
            health.well(POSTGRES)
            health.idle()

    app.agent(app.topic(TRANSFERS, key_type=str, key_serializer="raw", value_serializer="json"), name="transfers")(note)
    app.timer(LOOK_EVERY_S)(look)
    return app
