"""The process of the rules as a Faust app: what each reads, how often it looks, what its health page says."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import faust

from consumers.alerts.backlog import Ask, Backlog
from consumers.alerts.link_health import LinkHealth
from consumers.kafka.access import KafkaAccess
from consumers.thread import WorkThread
from consumers.worker.health import Health
from consumers.worker.page import HealthPage
from pipeline.store.backlog import SAMPLE_EVERY_S
from pipeline.store.session import Unavailable
from schemas.topics import TRANSFERS

log = logging.getLogger(__name__)

GROUP = "transferscope-alerts"
LOOK_EVERY_S = 15.0
POSTGRES = "PostgreSQL"


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
        """Faust keeps its tables' files there; without tables an empty folder would be left behind."""


def _credentials(access: KafkaAccess) -> Any:
    """How to get in, for Faust; None where anybody may. Raises OSError, ValueError."""
    protocol, context = access.protocol(), access.ssl_context()
    if access.login is not None:
        return faust.SASLCredentials(
            mechanism=access.login.mechanism,
            username=access.login.user,
            password=access.login.password(),
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if protocol == "SSL" else None


def create_app(config: AlertsConfig) -> faust.App:
    """A Faust app with an agent on ``transfers`` and the rules that it feeds."""
    app = _App(
        GROUP,
        broker=";".join(f"kafka://{server}" for server in config.kafka.servers),
        broker_credentials=_credentials(config.kafka),
        consumer_auto_offset_reset="latest",
        topic_disable_leader=True,
        datadir=tempfile.gettempdir(),
        autodiscover=False,
    )
    health = Health()
    page = HealthPage(health, config.health_host, config.health_port)
    app.web_server(page)
    link_health = LinkHealth(config.database_url)
    backlog = Backlog(config.database_url, config.asks, config.backlog_limit)
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
        await run_in(thread, link_health.look)

    async def sample() -> None:
        await run_in(waiting, backlog.look)

    async def run_in(own: WorkThread, rule: Callable[[], object]) -> None:
        try:
            await own.run(rule)
        except Unavailable as error:
            health.trouble(POSTGRES, str(error))
        except asyncio.CancelledError:
            raise
        else:
            health.well(POSTGRES)
            health.idle()

    app.agent(app.topic(TRANSFERS, key_type=str, key_serializer="raw", value_serializer="json"), name="transfers")(note)
    app.timer(LOOK_EVERY_S)(look)
    app.timer(SAMPLE_EVERY_S)(sample)
    return app
