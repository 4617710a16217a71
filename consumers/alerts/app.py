"""The process of the rules as a Faust app: what is sampled, judged and told, how often, and its health page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import faust

from consumers.alerts.evaluate import Rules
from consumers.alerts.health import AlertsHealth
from consumers.alerts.link_health import LinkHealth
from consumers.alerts.measures import Looks, measure
from consumers.alerts.notify import NOTIFY_EVERY_S, Channel, Sender
from consumers.alerts.publish import Depths
from consumers.alerts.sample import Ask, Sampling
from consumers.kafka.access import KafkaAccess
from consumers.thread import WorkThread
from consumers.worker.page import HealthPage
from pipeline.stages.alert_rules import Limits
from pipeline.store.session import Unavailable
from pipeline.telemetry.telemetry import Telemetry
from schemas.topics import TRANSFERS

log = logging.getLogger(__name__)

GROUP = "transferscope-alerts"
LOOK_EVERY_S = 15.0
SAMPLE_EVERY_S = 20
POSTGRES = "PostgreSQL"
_END_WITHIN_S = 4.0


class AlertsConfig(NamedTuple):
    """``health_port`` 0 lets the system choose one. ``asks`` tell what waits, by the name of what they ask."""

    database_url: str
    kafka: KafkaAccess
    health_host: str = "127.0.0.1"
    health_port: int = 0
    asks: Mapping[str, Ask] = {}
    limits: Limits = Limits()
    senders: tuple[Sender, ...] = ()
    sample_every_s: int = SAMPLE_EVERY_S
    traces_endpoint: str | None = None


class _App(faust.App):
    logger = logging.getLogger("faust.transferscope")

    def _create_directories(self) -> None:
        """Faust keeps its tables' files there; there are none, and a container's root cannot be written."""

    async def stop(self) -> None:
        """In order, or after a while without: while Kafka is away Faust waits for its consumer's thread for ever."""
        try:
            await asyncio.wait_for(super().stop(), _END_WITHIN_S)
        except TimeoutError:
            log.warning("Faust does not stop in %.0f s: it is left behind", _END_WITHIN_S)


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
    """A Faust app with an agent on ``transfers``, the rules that it feeds, and those that look for themselves."""
    app = _App(
        GROUP,
        broker=";".join(f"kafka://{server}" for server in config.kafka.servers),
        broker_credentials=_credentials(config.kafka),
        consumer_auto_offset_reset="latest",
        topic_disable_leader=True,
        autodiscover=False,
    )
    channels = [Channel(config.database_url, sender) for sender in config.senders]
    health = AlertsHealth(channels)
    telemetry = Telemetry("alerts", config.traces_endpoint)
    counted = Looks(telemetry)
    app.web_server(HealthPage(health, telemetry, config.health_host, config.health_port))
    link_health = LinkHealth(config.database_url)
    rules = Rules(config.database_url, config.limits)
    thread = WorkThread("rules")
    sampling: list[Sampling] = []  # made in the loop that it is for
    depths, publishing = Depths(config.kafka), WorkThread("broker-depth")
    published: list[asyncio.Future[None]] = []

    async def note(transfers: Any) -> None:
        """One bad document must not end the agent: Faust would go on behind it all the same."""
        async for transfer in transfers:
            try:
                link_health.note(transfer)
            except Exception:
                log.exception("a transfer is left out: %.200r", transfer)

    async def look() -> None:
        await run_in(thread, lambda: counted.links(link_health.look))

    async def sample() -> None:
        sampling[:] = sampling or [Sampling(config.asks)]
        answer, at = await sampling[0].look(), datetime.now(UTC)
        measure(telemetry, answer.samples)
        if await run_in(thread, lambda: counted.rules(lambda: rules.look(answer, at))):
            health.ran()
        depths.add(answer.samples, at)
        if not published or published[0].done():  # Kafka that is away keeps no look of the rules waiting
            published[:] = [asyncio.ensure_future(publishing.run(depths.publish))]

    async def run_in(own: WorkThread, call: Callable[[], object]) -> bool:
        """Whether the store let it be done."""
        try:
            await own.run(call)
        except Unavailable as error:
            health.trouble(POSTGRES, str(error))
            return False
        except asyncio.CancelledError:
            raise
        health.well(POSTGRES)
        return True

    def tell(channel: Channel) -> None:
        own = WorkThread(channel.name)  # a mail server that hangs keeps nothing else waiting

        async def look_what_to_tell() -> None:
            await run_in(own, channel.look)

        app.timer(NOTIFY_EVERY_S, name=f"tell-{channel.name}")(look_what_to_tell)

    app.agent(app.topic(TRANSFERS, key_type=str, key_serializer="raw", value_serializer="json"), name="transfers")(note)
    app.timer(LOOK_EVERY_S)(look)
    app.timer(config.sample_every_s)(sample)
    for channel in channels:
        tell(channel)
    return app
