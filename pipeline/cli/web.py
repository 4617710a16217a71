"""``web``: API and pages."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence

import click

from consumers.kafka.access import KafkaAway
from consumers.kafka.lookup import lookup
from pipeline.cli import logs
from pipeline.cli.brokers import must_be_readable
from pipeline.cli.errors import DONE, ConfigurationError
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import with_settings
from pipeline.cli.output import say
from pipeline.cli.settings import Settings
from pipeline.cli.tables import need_tables
from pipeline.cli.watching import limits
from pipeline.store.session import Unavailable
from pipeline.web.asks.messages import Lookup
from pipeline.web.config import Oidc, Tls, WebConfig
from pipeline.web.server import serve
from schemas.envelope import RawMessage


@click.command()
@click.option("--host", help="Where to listen.  [default: web_host]")
@click.option("--port", type=click.IntRange(0, 65535), help="0: a free one, which is printed.  [default: web_port]")
@with_settings
def web(settings: Settings, /, host: str | None, port: int | None) -> int:
    """Serve the HTTP API (/api/v1, described at /openapi.json) and the pages.

    It needs only PostgreSQL, and writes silences, use of tokens and audit there; while that is away, requests are
    answered with 503. Kafka, if it is set, is asked for the messages of a transfer when an operator looks at one. Ends
    on SIGTERM and Ctrl-C.

    \b
    Example:
      transferscope web --port 8080
    """
    config = WebConfig(
        settings.need("database_url"),
        settings.web_host if host is None else host,
        settings.web_port if port is None else port,
        settings.web_connections,
        settings.web_timeout_seconds,
        settings.web_stale_minutes * 60,
        _oidc(settings),
        _tls(settings),
        backlog_limit=settings.backlog_limit,
        limits=limits(settings),
        traces_endpoint=settings.traces_endpoint,
    )
    need_tables(config.database_url)
    logs.set_up(settings.log_format)
    try:
        serve(config, _lookup(settings), lambda address: say(f"listening on {address}"))
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"web_cert_file and web_key_file cannot be used ({error.reason or error}): correct them"
        ) from error
    except OSError as error:
        what = error.filename or f"{config.host}:{config.port}"
        raise ConfigurationError(
            f"{what}: {os.strerror(error.errno or 0)}: correct the files of certificates, --host or --port"
        ) from error
    return DONE


def _tls(settings: Settings) -> Tls | None:
    """The certificate, if one is set; both or none. Raises ConfigurationError."""
    cert_file, key_file = settings.web_cert_file, settings.web_key_file
    if cert_file is None and key_file is None:
        return None
    if cert_file is None or key_file is None:
        raise ConfigurationError("web_cert_file and web_key_file turn TLS on together: set both or none")
    must_be_readable(cert_file, "web_cert_file")
    must_be_readable(key_file, "web_key_file")
    return Tls(cert_file, key_file)


def _oidc(settings: Settings) -> Oidc | None:
    """The issuer, if one is set. Raises ConfigurationError where nobody could be let in."""
    if settings.web_oidc_issuer is None:
        return None
    groups = (
        settings.web_oidc_reader_groups or (),
        settings.web_oidc_operator_groups or (),
        settings.web_oidc_administrator_groups or (),
    )
    if not any(groups):
        raise ConfigurationError("web_oidc_issuer is set, but no group has a role: set web_oidc_reader_groups")
    return Oidc(settings.web_oidc_issuer, settings.need("web_oidc_audience"), *groups, settings.web_oidc_ca_file)


def _lookup(settings: Settings) -> Lookup | None:
    """How to find messages, if it is set where Kafka is."""
    if settings.kafka_bootstrap is None:
        return None
    access = kafka_access(settings)

    def look(references: Sequence[str]) -> Mapping[str, RawMessage]:
        try:
            return lookup(access, references)
        except KafkaAway as away:
            raise Unavailable("Kafka", away.address, away.why) from away

    return look
