"""``relay``: what the store has committed, to Kafka."""

from __future__ import annotations

import click

from consumers.health import Health
from consumers.page import Page, answering
from consumers.relay.relay import start
from pipeline.cli import logs
from pipeline.cli.errors import DONE
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import a_free_address, health_options, with_settings
from pipeline.cli.settings import Settings
from pipeline.cli.stopping import told_to_stop
from pipeline.cli.tables import need_tables
from pipeline.telemetry.telemetry import Telemetry

_LIBRARIES = ("librdkafka",)


@click.command()
@health_options
@click.option("--verbose", is_flag=True, help="Also what the Kafka client has to say.")
@with_settings
def relay(settings: Settings, /, health_host: str, health_port: int, verbose: bool) -> int:
    """Publish finished transfers, dead letters and alerts in Kafka, as JSON.

    Each comes at least once, and again when it changes, under the same id: keep the last of each id. Of several relays
    one works and the others stand by. While Kafka or PostgreSQL is away it waits. Ends in order on SIGTERM and Ctrl-C.

    \b
    Example:
      transferscope relay
    """
    url, access = settings.need("database_url"), kafka_access(settings)
    need_tables(url)
    logs.set_up(settings.log_format, verbose=verbose, libraries=_LIBRARIES)
    stop = told_to_stop()
    health, telemetry = Health(), Telemetry("relay", settings.traces_endpoint)
    with a_free_address(health_host, health_port):
        page = Page(health, telemetry, health_host, health_port)
    working = start(url, access, health, telemetry, page.address)
    with answering(page):
        working.run(stop)
    return DONE
