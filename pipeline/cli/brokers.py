"""The brokers that the settings name, ready for whoever connects to them."""

from __future__ import annotations

import os
from pathlib import Path

from consumers.bridge.settings import BrokerSettings
from pipeline.cli.broker_tables import BrokerTable
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.settings import Settings
from schemas.topics import BROKER_TOPICS

_FILES = ("password_file", "ca_file", "cert_file", "key_file")


def brokers(settings: Settings) -> tuple[BrokerSettings, ...]:
    """Each broker of ``stomp_brokers`` or of the ``[[broker]]`` tables, of which these are the stronger.

    Raises ConfigurationError when there is none, or a file that one needs cannot be read.
    """
    tables = settings.broker or tuple(BrokerTable(url=url) for url in settings.need("stomp_brokers"))
    return tuple(_broker(table, settings) for table in tables)


def api_password(settings: Settings) -> str | None:
    """What the brokers' Jolokia asks for, read now. Raises ConfigurationError."""
    file = settings.broker_api_password_file
    must_be_readable(file, "broker_api_password_file")
    return file.read_text(encoding="utf-8").strip() if file else None


def _broker(table: BrokerTable, settings: Settings) -> BrokerSettings:
    found = BrokerSettings(
        url=table.url,
        user=table.user or settings.stomp_user,
        password_file=table.password_file or settings.stomp_password_file,
        consumer=table.consumer or settings.stomp_consumer,
        topics=BROKER_TOPICS if table.topics is None else table.topics,
        mode=table.mode or "queue",
        ca_file=table.ca_file or settings.stomp_ca_file,
        cert_file=table.cert_file or settings.stomp_cert_file,
        key_file=table.key_file or settings.stomp_key_file,
    )
    for name in _FILES:
        must_be_readable(getattr(found, name), f"the {name} of the broker {found.url}")
    return found


def must_be_readable(file: Path | None, what: str) -> None:
    """Raises ConfigurationError for a file that is named but cannot be read; None is fine."""
    if file is not None and not (file.is_file() and os.access(file, os.R_OK)):
        raise ConfigurationError(f"{what}, {file}, cannot be read: correct the path or its rights")
