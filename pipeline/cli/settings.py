"""Every setting of transferscope: its default, what it is for, and where its value came from.

One TOML file and the environment (``TRANSFERSCOPE_`` and the name in capitals; the environment wins) are read once
by ``load``; nothing below ``pipeline.cli`` reads either. Secrets are never settings: a setting names their file.
"""
# ruff: noqa: RUF009 - _setting is dataclasses.field with the registry's columns

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from consumers.kafka.access import MECHANISMS
from pipeline.cli import broker_tables, values
from pipeline.cli.broker_tables import BrokerTable
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.logs import FORMATS
from schemas.topics import KNOWN_TOPICS

PREFIX = "TRANSFERSCOPE_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
BROKER_TABLES = "broker"


def _setting(parse: Callable[[object], Any], sentence: str, default: Any = None) -> Any:
    return field(default=default, metadata={"parse": parse, "sentence": sentence})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The resolved settings. ``None`` means not set; ``origins`` says for each name where its value came from."""

    database_url: str | None = _setting(
        values.database_url,
        "PostgreSQL, as postgresql://user@host:5432/name; a password stays in the file that passfile=… names",
    )
    kafka_bootstrap: tuple[str, ...] | None = _setting(values.addresses, "Kafka brokers, as host:port,host:port")
    kafka_ca_file: Path | None = _setting(values.file, "authorities that sign Kafka's certificates; turns TLS on")
    kafka_cert_file: Path | None = _setting(values.file, "client certificate for Kafka")
    kafka_key_file: Path | None = _setting(values.file, "key of the client certificate for Kafka")
    kafka_user: str | None = _setting(values.text, "user name on Kafka; over TLS alone")
    kafka_password_file: Path | None = _setting(values.file, "file with the password on Kafka")
    kafka_mechanism: str = _setting(
        values.one_of(*MECHANISMS), f"how to log in: {', '.join(MECHANISMS)}", MECHANISMS[0]
    )
    stomp_brokers: tuple[str, ...] | None = _setting(
        values.stomp_urls, "ActiveMQ, as stomp:// or stomp+ssl://host:port,…; every address behind a name is a broker"
    )
    stomp_user: str | None = _setting(values.text, "user name on the brokers")
    stomp_password_file: Path | None = _setting(values.file, "file with the password on the brokers")
    stomp_consumer: str = _setting(values.word, "NAME in the virtual queues Consumer.NAME.topic", "transferscope")
    stomp_ca_file: Path | None = _setting(values.file, "authorities that sign the brokers' certificates")
    stomp_cert_file: Path | None = _setting(values.file, "client certificate for the brokers")
    stomp_key_file: Path | None = _setting(values.file, "key of the client certificate for the brokers")
    broker_api: tuple[str, ...] | None = _setting(
        values.http_urls, "Jolokia of each broker, as http://host:8161/api/jolokia,…: tells the queues' depths"
    )
    broker_api_user: str | None = _setting(values.text, "user name on Jolokia")
    broker_api_password_file: Path | None = _setting(values.file, "file with the password on Jolokia")
    topology: tuple[str, ...] | None = _setting(
        values.sources, "files and addresses with sites, hosts and VO endpoints, for init and topology load"
    )
    partitions: int = _setting(
        values.whole(1, 64), "partitions of fts.transfer, and so the most workers that share the work", 8
    )
    retention_days: int = _setting(values.whole(1, 3650), "days that single transfers are kept", 30)
    window_retention_days: int = _setting(
        values.whole(1, 36500), "days that windows of 10 minutes are kept, and samples of queues", 90
    )
    hour_retention_days: int = _setting(
        values.whole(1, 36500), "days that windows of an hour are kept; those of a day are kept for ever", 730
    )
    lost_after_hours: int = _setting(values.whole(1, 24 * 365), "a start without a complete is lost after this", 24)
    user_hash_key_file: Path | None = _setting(
        values.file,
        "file with the key that users are hashed with (openssl rand -hex 32); without it none is kept",
    )
    backlog_limit: int = _setting(
        values.whole(1, 10**9), "a queue or consumer group with more messages than this is behind", 5000
    )
    backlog_limits: tuple[tuple[str, int], ...] | None = _setting(
        values.limits_by_name, "other limits for some queues and groups, as NAME=MESSAGES,…; * for any letters"
    )
    alerts_sample_seconds: int = _setting(
        values.whole(1, 30), "seconds between two samples of queues and groups, and between two looks of the rules", 20
    )
    alerts_oldest_minutes: int = _setting(
        values.whole(1, 10**6), "the oldest message of a queue may wait so many minutes", 60
    )
    alerts_silent_minutes: int = _setting(
        values.whole(0, 10**6), "a source of which nothing is heard for so many minutes is silent; 0: nobody asks", 60
    )
    alerts_sources: tuple[tuple[str, int], ...] | None = _setting(
        values.limits_by_name, "other limits for some sources, as NAME=MINUTES,…; * for any letters"
    )
    alerts_topology_hours: int = _setting(
        values.whole(0, 10**5), "a topology that no load has confirmed for so many hours is old; 0: nobody asks", 48
    )
    alerts_dead_letters: int = _setting(
        values.whole(1, 10**9), "so many dead letters of one reason may come within an hour", 100
    )
    alerts_repeat_hours: int = _setting(
        values.whole(1, 10**4), "an alert that stays open is told again after so many hours", 4
    )
    alerts_mail_to: tuple[str, ...] | None = _setting(values.mail_addresses, "who is told of alerts by mail")
    alerts_mail_from: str = _setting(values.mail_address, "sender of these mails", "transferscope@localhost")
    alerts_smtp: str = _setting(
        values.smtp_url, "server that takes them: smtp://, smtp+starttls:// or smtps://host:port", "smtp://localhost:25"
    )
    alerts_smtp_user: str | None = _setting(values.text, "user name on that server")
    alerts_smtp_password_file: Path | None = _setting(values.file, "file with the password on that server")
    alerts_smtp_ca_file: Path | None = _setting(values.file, "authorities that sign that server's certificate")
    alerts_alertmanager: tuple[str, ...] | None = _setting(
        values.http_urls, "Prometheus' Alertmanager, as http://host:9093,…: is told of all alerts (API v2)"
    )
    alerts_alertmanager_user: str | None = _setting(values.text, "user name on Alertmanager; over https alone")
    alerts_alertmanager_password_file: Path | None = _setting(values.file, "file with the password on Alertmanager")
    alerts_alertmanager_token_file: Path | None = _setting(
        values.file, "file with a bearer token for Alertmanager, instead of user and password"
    )
    alerts_alertmanager_ca_file: Path | None = _setting(
        values.file, "authorities that sign Alertmanager's certificates; else those of the system"
    )
    alerts_page: str | None = _setting(values.text, "address of web, as https://host: mails say where the alerts are")
    web_host: str = _setting(values.text, "where web listens", "127.0.0.1")
    web_port: int = _setting(values.whole(0, 65535), "port of web; 0: a free one, which is printed", 0)
    web_cert_file: Path | None = _setting(values.file, "certificate of web, with those between it and its authority")
    web_key_file: Path | None = _setting(values.file, "key of the certificate of web; both together turn TLS on")
    web_connections: int = _setting(values.whole(1, 64), "connections of web to PostgreSQL", 4)
    web_timeout_seconds: int = _setting(values.whole(1, 600), "a question of web that takes longer is ended", 10)
    web_stale_minutes: int = _setting(
        values.whole(1, 7 * 24 * 60), "pages name a source whose newest event is older", 20
    )
    web_oidc_issuer: str | None = _setting(
        values.https_url, "OIDC issuer whose bearer tokens web takes beside its own, as in their iss"
    )
    web_oidc_audience: tuple[str, ...] | None = _setting(values.texts, "aud of tokens that are meant for this web")
    web_oidc_reader_groups: tuple[str, ...] | None = _setting(
        values.texts, "wlcg.groups whose members are readers: single transfers"
    )
    web_oidc_operator_groups: tuple[str, ...] | None = _setting(
        values.texts, "wlcg.groups whose members are operators: dead letters and messages too"
    )
    web_oidc_administrator_groups: tuple[str, ...] | None = _setting(
        values.texts, "wlcg.groups whose members are administrators"
    )
    web_oidc_ca_file: Path | None = _setting(
        values.file, "authorities that sign the issuer's certificate; else those of the system"
    )
    log_format: str = _setting(values.choice(*FORMATS), "lines of the log: text, or json, an object an event", "text")
    traces_endpoint: str | None = _setting(
        values.http_url,
        "OpenTelemetry collector that takes traces of batches and requests over OTLP/HTTP, as http://host:4318",
    )
    broker: tuple[BrokerTable, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    def need(self, name: str) -> Any:
        """The value of a setting that a command cannot do without.

        Raises ConfigurationError, saying how to set it, when it is not set.
        """
        value = getattr(self, name)
        if value is None:
            raise ConfigurationError(
                f"{name} is not set: set {PREFIX}{name.upper()} or write {name} = … into the configuration file "
                '(for a local stack: eval "$(transferscope stack env)")'
            )
        return value

    def kinds(self) -> dict[str, str]:
        """Every broker topic that is known or configured, with the kind of its messages."""
        kinds = dict(KNOWN_TOPICS)
        for table in self.broker:
            kinds.update(table.topics or {})
        return kinds


class Setting(NamedTuple):
    """A line of the settings table."""

    name: str
    variable: str
    default: Any
    sentence: str
    parse: Callable[[object], Any]


REGISTRY: tuple[Setting, ...] = tuple(
    Setting(f.name, PREFIX + f.name.upper(), f.default, f.metadata["sentence"], f.metadata["parse"])
    for f in fields(Settings)
    if f.default is not MISSING and "parse" in f.metadata
)


def load(config: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of the file (``config``, else the one that TRANSFERSCOPE_CONFIG names) and the environment.

    Raises ConfigurationError for a file that is not there or not TOML, a name that is not known (with the nearest
    known one) and a value that cannot be meant.
    """
    known = {setting.name: setting for setting in REGISTRY}
    resolved: dict[str, Any] = {}
    origins = dict.fromkeys(known, "default")
    path = config or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    if path is not None:
        for name, raw in _read(path).items():
            if name == BROKER_TABLES:
                resolved[name] = broker_tables.parse(raw, path)
            elif name in known:
                resolved[name] = values.parsed(known[name].parse, raw, f"{name} in {path}", path.parent)
            else:
                raise ConfigurationError(f"{path}: {values.unknown('setting', name, [*known, BROKER_TABLES])}")
            origins[name] = f"file {path}"
    by_variable = {setting.variable: setting for setting in REGISTRY}
    for variable, raw in environment.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE or raw == "":
            continue
        if variable not in by_variable:
            raise ConfigurationError(values.unknown("environment variable", variable, [*by_variable, CONFIG_VARIABLE]))
        setting = by_variable[variable]
        resolved[setting.name] = values.parsed(setting.parse, raw, variable, Path.cwd())
        origins[setting.name] = f"environment {variable}"
    if resolved.get("stomp_brokers") and resolved.get(BROKER_TABLES):
        if origins["stomp_brokers"].startswith("file"):
            raise ConfigurationError(f"{path}: stomp_brokers and [[broker]] both name brokers: keep one of them")
        del resolved[BROKER_TABLES]
        origins.pop(BROKER_TABLES)
    found = Settings(**resolved, origins=origins)
    _check_retention(found)
    return found


def _check_retention(settings: Settings) -> None:
    """Windows cannot be dropped while what they are made of is kept, and may still change them."""
    names = ("retention_days", "window_retention_days", "hour_retention_days")
    for shorter, longer in pairwise(names):
        least, days = getattr(settings, shorter), getattr(settings, longer)
        if days < least:
            raise ConfigurationError(
                f"{longer} is {days} ({settings.origins[longer]}), less than {shorter}, {least}"
                f" ({settings.origins[shorter]}): set {longer} to {least} or more"
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(
            f"the configuration file {path} cannot be read ({error.strerror}): correct --config or {CONFIG_VARIABLE}"
        ) from error
    except ValueError as error:  # and what tomllib makes of a number with thousands of digits
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path} is nested too deeply: take the brackets out") from error
