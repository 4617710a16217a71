"""``alerts``: the rules, as a Faust app."""

from __future__ import annotations

import click

from consumers.alerts.app import AlertsConfig, create_app
from consumers.kafka.access import NoTopic
from consumers.kafka.admin import inspect_topics
from consumers.worker.process import run
from pipeline.cli import logs
from pipeline.cli.errors import DONE
from pipeline.cli.flow_state import samplers
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import a_free_address, health_options, with_settings
from pipeline.cli.settings import Settings
from pipeline.cli.tables import need_tables
from schemas.topics import TRANSFERS

_LIBRARIES = ("faust", "mode", "aiokafka", "asyncio")


@click.command()
@health_options
@click.option("--verbose", is_flag=True, help="Also what Faust and the Kafka client have to say.")
@with_settings
def alerts(settings: Settings, /, health_host: str, health_port: int, verbose: bool) -> int:
    """Raise and clear alerts: links whose efficiency is far below their own week, queues in which too much waits.

    Reads finished transfers that transferscope relay publishes in Kafka, and looks at the links in use every 15 s.
    Samples what waits in the brokers (broker_api) and for the workers in Kafka every 30 s: above backlog_limit twice in
    a row it is too much, below 80 % of it well again. Of several processes each does a part; an alert is raised once.
    What is open tells transferscope query alerts. Ends in order on SIGTERM and Ctrl-C.

    \b
    Example:
      transferscope alerts --health-port 8082
    """
    config = AlertsConfig(settings.need("database_url"), kafka_access(settings), health_host, health_port)
    config = config._replace(asks=samplers(settings), backlog_limit=settings.backlog_limit)
    need_tables(config.database_url)
    missing, _ = inspect_topics(config.kafka, settings.partitions)
    if TRANSFERS in missing:
        raise NoTopic(TRANSFERS, config.kafka.address)
    logs.set_up(settings.log_format, verbose=verbose, libraries=_LIBRARIES)
    with a_free_address(health_host, health_port):
        app = create_app(config)
    crash = run(app)
    if crash is not None:
        raise crash
    return DONE
