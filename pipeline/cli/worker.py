"""``worker``: Kafka to Postgres, as a Faust app."""

from __future__ import annotations

import click

from consumers.kafka.access import NoTopic
from consumers.kafka.groups import lag
from consumers.worker.app import create_app
from consumers.worker.config import GROUP, TOPICS, WorkerConfig
from consumers.worker.process import run
from pipeline.cli import logs
from pipeline.cli.errors import DONE
from pipeline.cli.flow_state import what_waits
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import a_free_address, health_options, with_settings
from pipeline.cli.settings import Settings
from pipeline.cli.tables import need_tables
from pipeline.cli.user_key import user_key

_LIBRARIES = ("faust", "mode", "librdkafka", "asyncio")


@click.command()
@health_options
@click.option("--verbose", is_flag=True, help="Also each batch, and what Faust and the Kafka client have to say.")
@with_settings
def worker(settings: Settings, /, health_host: str, health_port: int, verbose: bool) -> int:
    """Take messages from Kafka into Postgres: dedupe, join, enrich, aggregate.

    Run as many as there are partitions, on as many hosts as you like: they share the work. One that dies or is stopped
    loses nothing and counts nothing twice. While Kafka or PostgreSQL is away it waits. Ends in order on SIGTERM and
    Ctrl-C.

    \b
    Example:
      transferscope worker --health-port 8081
    """
    config = WorkerConfig(
        settings.need("database_url"),
        kafka_access(settings),
        settings.retention_days,
        health_host,
        health_port,
        settings.user_hash_key_file,
        settings.window_retention_days,
        settings.hour_retention_days,
        settings.traces_endpoint,
    )
    user_key(settings)  # said now in a sentence, if it is none
    _check(config)
    with a_free_address(health_host, health_port):
        app = create_app(config, lambda: what_waits(settings))
    logs.set_up(settings.log_format, verbose=verbose, libraries=_LIBRARIES)
    crash = run(app)
    if crash is not None:
        raise crash
    return DONE


def _check(config: WorkerConfig) -> None:
    """What can be said in a sentence before the work begins. Later both services may come and go."""
    need_tables(config.database_url)
    there = {topic for topic, _ in lag(config.kafka, GROUP, TOPICS)}
    for topic in TOPICS:
        if topic not in there:
            raise NoTopic(topic, config.kafka.address)
