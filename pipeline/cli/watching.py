"""What the alerter is told, out of the settings: what it asks, where its limits are, whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from consumers.alerts.groups import GroupsAsk
from consumers.alerts.notify import Sender
from consumers.alerts.sample import Ask, JolokiaAsk, StatisticsAsk, Watched
from consumers.alerts.senders.alertmanager import Alertmanager, AlertmanagerSettings
from consumers.alerts.senders.journal import Journal
from consumers.alerts.senders.mail import Mail, MailSettings
from consumers.bridge.settings import QUEUE, BrokerSettings
from consumers.errors import Unreachable
from consumers.worker.config import GROUP, TOPICS
from pipeline.cli.brokers import api_password, brokers, must_be_readable
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.flow_state import own_queues
from pipeline.cli.kafka import kafka_access
from pipeline.cli.settings import Settings
from pipeline.stages.alert_rules import Limits


def asks(settings: Settings) -> dict[str, Ask]:
    """What asks each broker what waits in it, and Kafka, by the name of what is asked.

    A broker that ``broker_api`` names is asked by Jolokia, the others by the statistics plugin. Raises
    ConfigurationError.
    """
    found: dict[str, Ask] = {"Kafka": GroupsAsk(kafka_access(settings), {GROUP: TOPICS})}
    if not (settings.stomp_brokers or settings.broker):
        return found
    configured = brokers(settings)
    jolokia = settings.broker_api or ()
    for url in jolokia:
        watched = _watched(own_queues(configured, urlsplit(url).hostname), configured)
        found[f"the broker of {url}"] = JolokiaAsk(url, _login(settings, url), watched, configured)
    for broker in configured:
        if broker.mode == QUEUE:
            watched = _watched(own_queues([broker], None), [broker])
            found[f"the broker {broker.url}"] = StatisticsAsk(broker, jolokia, watched)
    return found


def limits(settings: Settings) -> Limits:
    """The thresholds of the rules."""
    return Limits(
        backlog=settings.backlog_limit,
        queues=settings.backlog_limits or (),
        oldest_s=settings.alerts_oldest_minutes * 60,
        silent_s=settings.alerts_silent_minutes * 60,
        sources=tuple((name, minutes * 60) for name, minutes in settings.alerts_sources or ()),
        topology_s=settings.alerts_topology_hours * 3600,
        dead_letters=settings.alerts_dead_letters,
    )


def senders(settings: Settings) -> tuple[Sender, ...]:
    """Who is told: the log always, mail and Alertmanager where they are set. Raises ConfigurationError."""
    repeat_s = settings.alerts_repeat_hours * 3600.0
    page = f"{settings.alerts_page.rstrip('/')}/alerts" if settings.alerts_page else ""
    found: list[Sender] = [Journal(repeat_s)]
    if settings.alerts_mail_to:
        for name in ("alerts_smtp_password_file", "alerts_smtp_ca_file"):
            must_be_readable(getattr(settings, name), name)
        mail = MailSettings(
            settings.alerts_smtp,
            settings.alerts_mail_to,
            settings.alerts_mail_from,
            settings.alerts_smtp_user,
            settings.alerts_smtp_password_file,
            settings.alerts_smtp_ca_file,
            page,
        )
        found.append(Mail(mail, repeat_s))
    if settings.alerts_alertmanager:
        found.append(Alertmanager(_alertmanager(settings, settings.alerts_alertmanager, page)))
    return tuple(found)


def _alertmanager(settings: Settings, addresses: tuple[str, ...], page: str) -> AlertmanagerSettings:
    user, token_file = settings.alerts_alertmanager_user, settings.alerts_alertmanager_token_file
    password_file, ca_file = settings.alerts_alertmanager_password_file, settings.alerts_alertmanager_ca_file
    if (user is None) != (password_file is None):
        raise ConfigurationError("set both alerts_alertmanager_user and alerts_alertmanager_password_file, or neither")
    if user is not None and token_file is not None:
        raise ConfigurationError("alerts_alertmanager_user and alerts_alertmanager_token_file are two logins: keep one")
    if (user or token_file) and not all(address.startswith("https:") for address in addresses):
        raise ConfigurationError("a login is never sent without TLS: alerts_alertmanager must be https:// addresses")
    for name in ("password_file", "token_file", "ca_file"):
        must_be_readable(getattr(settings, f"alerts_alertmanager_{name}"), f"alerts_alertmanager_{name}")
    return AlertmanagerSettings(addresses, page, user, password_file, token_file, ca_file)


def _login(settings: Settings, url: str) -> Callable[[], tuple[str | None, str | None]]:
    def read() -> tuple[str | None, str | None]:
        try:
            return settings.broker_api_user, api_password(settings)
        except ConfigurationError as error:  # a password file that went away: one that comes back is read again
            raise Unreachable("Jolokia", url, str(error)) from error

    return read


def _watched(ours: Sequence[str], configured: Sequence[BrokerSettings]) -> Watched:
    return Watched(frozenset(ours), frozenset(topic for broker in configured for topic in broker.topics))
