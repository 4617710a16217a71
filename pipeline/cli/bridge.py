"""``bridge``: ActiveMQ's virtual queues to Kafka."""

from __future__ import annotations

import click

from consumers.bridge.bridge import Bridge
from consumers.page import Page, answering
from pipeline.cli import logs
from pipeline.cli.brokers import brokers
from pipeline.cli.errors import DONE
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import a_free_address, health_options, with_settings
from pipeline.cli.settings import Settings
from pipeline.cli.stopping import told_to_stop

_LIBRARIES = ("librdkafka",)


@click.command()
@health_options
@click.option("--verbose", is_flag=True, help="Also each batch, and what the Kafka client has to say.")
@with_settings
def bridge(settings: Settings, /, health_host: str, health_port: int, verbose: bool) -> int:
    """Take messages from the brokers' virtual queues to Kafka, untouched.

    A message is acknowledged to its broker when Kafka has it, so nothing is lost however this ends; some messages may
    come twice. Every address behind each broker's name is connected; while one or Kafka is away, it tries again. Run
    one, or several that share the queues. Ends in order on SIGTERM and Ctrl-C.

    \b
    Example:
      TRANSFERSCOPE_STOMP_BROKERS=stomp+ssl://dashb-mb.cern.ch:61123 transferscope bridge
    """
    logs.set_up(settings.log_format, verbose=verbose, libraries=_LIBRARIES)
    stop = told_to_stop()
    working = Bridge(brokers(settings), kafka_access(settings), settings.traces_endpoint)
    with a_free_address(health_host, health_port):
        page = Page(working.health, working.telemetry, health_host, health_port)
    with answering(page):
        working.run(stop)
    return DONE
