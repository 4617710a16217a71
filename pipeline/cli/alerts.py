"""``alerts``: the rules, as a Faust app."""

from __future__ import annotations

import click

from consumers.alerts.app import AlertsConfig, create_app
from consumers.kafka.access import NoTopic
from consumers.kafka.admin import inspect_topics
from consumers.worker.process import run
from pipeline.cli import logs
from pipeline.cli.errors import DONE
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import a_free_address, health_options, with_settings
from pipeline.cli.settings import Settings
from pipeline.cli.tables import need_tables
from pipeline.cli.watching import asks, limits, senders
from schemas.topics import TRANSFERS

_LIBRARIES = ("faust", "mode", "aiokafka", "asyncio")


@click.command()
@health_options
@click.option("--verbose", is_flag=True, help="Also what Faust and the Kafka client have to say.")
@with_settings
def alerts(settings: Settings, /, health_host: str, health_port: int, verbose: bool) -> int:
    """Watch queues, Kafka, links, sources and dead letters; raise and clear alerts, and tell people of them.

    Samples what waits in the brokers (broker_api, else the statistics plugin over STOMP) and for consumer groups in
    Kafka every 20 s, and looks at the links that finished transfers of transferscope relay name. The rules with limits
    are listed by transferscope silences rules. Alerts are told in the log, by mail (alerts_mail_to) and to Alertmanager
    (alerts_alertmanager): a storm in one message, what stays open again after alerts_repeat_hours, and what is over.
    Of several processes each looks; an alert is raised and told once. What is open tells transferscope query alerts;
    transferscope silences keeps some from being told. Ends in order on SIGTERM and Ctrl-C.

    \b
    Example:
      transferscope alerts --health-port 8082
    """
    config = AlertsConfig(settings.need("database_url"), kafka_access(settings), health_host, health_port)
    config = config._replace(asks=asks(settings), limits=limits(settings), senders=senders(settings))
    config = config._replace(sample_every_s=settings.alerts_sample_seconds, traces_endpoint=settings.traces_endpoint)
    need_tables(config.database_url)
    missing = inspect_topics(config.kafka, settings.partitions).missing
    if TRANSFERS in missing:
        raise NoTopic(TRANSFERS, config.kafka.address)
    logs.set_up(settings.log_format, verbose=verbose, libraries=_LIBRARIES)
    with a_free_address(health_host, health_port):
        app = create_app(config)
    crash = run(app)
    if crash is not None:
        raise crash
    return DONE
