"""``bridge``: ActiveMQ's virtual queues to Kafka."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import click

from consumers.bridge.bridge import Bridge
from pipeline.cli.brokers import brokers
from pipeline.cli.errors import DONE
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import with_settings
from pipeline.cli.settings import Settings

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.command()
@click.option("--verbose", is_flag=True, help="Also what the Kafka client has to say.")
@with_settings
def bridge(settings: Settings, /, verbose: bool) -> int:
    """Take messages from the brokers' virtual queues to Kafka, untouched.

    A message is acknowledged to its broker when Kafka has it, so nothing is lost however this ends; some messages may
    come twice. Every address behind each broker's name is connected; while one or Kafka is away, it tries again. Run
    one, or several that share the queues. Ends in order on SIGTERM and Ctrl-C.

    \b
    Example:
      TRANSFERSCOPE_STOMP_BROKERS=stomp+ssl://dashb-mb.cern.ch:61123 transferscope bridge
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=_LOG_FORMAT)
    logging.getLogger("librdkafka").setLevel(logging.DEBUG if verbose else logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Bridge(brokers(settings), kafka_access(settings)).run(stop)
    return DONE
