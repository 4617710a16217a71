"""What ``doctor`` looks at: each check is one line, and none keeps the next from being made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from pipeline.cli.checking import brokers, kafka, postgres, tls
from pipeline.cli.checking.check import Check, Verdict, tried
from pipeline.cli.checking.clock import Clock, moment
from pipeline.cli.checking.packages import OWN_PACKAGES, package
from pipeline.cli.settings import Settings


def checks(settings: Settings, own: Clock = time.time) -> Iterator[Check]:
    """All checks, as they are made; ``own`` is this machine's clock, in s since the epoch."""
    for name in OWN_PACKAGES:
        yield package(name)
    yield from _certificates(settings, moment(own))
    has_brokers = bool(settings.stomp_brokers or settings.broker)
    yield from _configured("PostgreSQL", settings.database_url is not None, partial(postgres.checks, settings, own))
    yield from _configured("Kafka", settings.kafka_bootstrap is not None, partial(kafka.checks, settings, own))
    yield from _configured("ActiveMQ", has_brokers, partial(brokers.over_stomp, settings, own))
    yield from _configured("Jolokia", settings.broker_api is not None, partial(brokers.by_jolokia, settings, own))


def _configured(what: str, is_configured: bool, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    return tried(what, look) if is_configured else iter([Check(what, Verdict.LEFT_OUT, "not configured")])


def _certificates(settings: Settings, now: datetime) -> Iterator[Check]:
    """Our own, which others look at."""
    files = {name: getattr(settings, name) for name in ("web_cert_file", "kafka_cert_file", "stomp_cert_file")}
    files |= {f"cert_file of {table.url}": table.cert_file for table in settings.broker}
    for name, file in files.items():
        if file is not None:
            yield tls.own_certificate(name, file, now)
    if settings.web_cert_file is None and not tls.stays_here(settings.web_host):
        remedy = "set web_cert_file and web_key_file, unless a proxy on this machine speaks TLS for it"
        yield tls.not_encrypted("web", settings.web_host, remedy)
