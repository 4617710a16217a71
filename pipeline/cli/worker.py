"""``worker``: Kafka to Postgres, as a Faust app."""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings

import click

from consumers.kafka.access import KafkaAccess, KafkaAway, NoTopic
from consumers.kafka.consumer import check
from consumers.worker.app import TOPICS, create_app
from consumers.worker.config import WorkerConfig
from consumers.worker.process import run
from pipeline.cli.errors import BUG, DONE, ConfigurationError, Unreachable
from pipeline.cli.options import with_settings
from pipeline.cli.output import say
from pipeline.cli.settings import Settings
from pipeline.store import migrations

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.command()
@click.option("--health-host", default="127.0.0.1", show_default=True, help="Where the health page listens.")
@click.option(
    "--health-port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: a free one, told in the log."
)
@click.option("--verbose", is_flag=True, help="Also what Faust and the Kafka client have to say.")
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
        settings.need("database_url"), _access(settings), settings.retention_days, health_host, health_port
    )
    _check(config)
    _set_up_logging(verbose)
    crash = run(create_app(config))
    if crash is None:
        return DONE
    say(f"this is a bug ({type(crash).__name__}): please report it with the lines above")
    return BUG


def _access(settings: Settings) -> KafkaAccess:
    access = KafkaAccess(
        settings.need("kafka_bootstrap"), settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file
    )
    try:
        access.ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"the certificates for Kafka cannot be used ({error}): correct kafka_ca_file, kafka_cert_file and "
            "kafka_key_file"
        ) from error
    return access


def _check(config: WorkerConfig) -> None:
    """What can be said in a sentence before the work begins. Later both services may come and go."""
    version = migrations.current(config.database_url)
    if version != migrations.head():
        what = "has no tables yet" if version is None else f"has tables of version {version}, not {migrations.head()}"
        raise ConfigurationError(f"the database {what}: say transferscope init")
    try:
        asyncio.run(check(config.kafka, TOPICS))
    except KafkaAway as away:
        raise Unreachable("Kafka", away.address, away.why) from away
    except NoTopic as missing:
        raise ConfigurationError(str(missing)) from missing


def _set_up_logging(verbose: bool) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=_LOG_FORMAT)
    logging.captureWarnings(True)
    if not verbose:
        warnings.simplefilter("ignore")
        for library in ("faust", "mode", "aiokafka", "asyncio"):
            logging.getLogger(library).setLevel(logging.ERROR)
