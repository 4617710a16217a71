"""``relay``: what the store has committed, to Kafka."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import click

from consumers.relay.relay import start
from pipeline.cli.errors import DONE
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import with_settings
from pipeline.cli.settings import Settings
from pipeline.cli.tables import need_tables

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.command()
@click.option("--verbose", is_flag=True, help="Also what the Kafka client has to say.")
@with_settings
def relay(settings: Settings, /, verbose: bool) -> int:
    """Publish finished transfers, dead letters and alerts in Kafka, as JSON.

    Each comes at least once, and again when it changes, under the same id: keep the last of each id. Of several relays
    one works and the others stand by. While Kafka or PostgreSQL is away it waits. Ends in order on SIGTERM and Ctrl-C.

    \b
    Example:
      transferscope relay
    """
    url, access = settings.need("database_url"), kafka_access(settings)
    need_tables(url)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=_LOG_FORMAT)
    logging.getLogger("librdkafka").setLevel(logging.DEBUG if verbose else logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    start(url, access).run(stop)
    return DONE
