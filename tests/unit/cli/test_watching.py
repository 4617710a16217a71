"""What the alerter asks, where its limits are and whom it tells, out of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from consumers.alerts.sample import JolokiaAsk, StatisticsAsk
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.settings import Settings, load
from pipeline.cli.watching import asks, limits, senders
from pipeline.stages.alert_rules import Limits

BASE = {"KAFKA_BOOTSTRAP": "k:9092", "STOMP_CONSUMER": "t"}


def settings(more: Mapping[str, str]) -> Settings:
    return load(None, {f"TRANSFERSCOPE_{name}": value for name, value in (BASE | dict(more)).items()})


def test_kafka_is_asked_always_and_brokers_as_far_as_they_are_set() -> None:
    assert set(asks(settings({}))) == {"Kafka"}
    both = asks(settings({"STOMP_BROKERS": "stomp://mq:61613", "BROKER_API": "http://mq:8161/api/jolokia"}))
    assert set(both) == {"Kafka", "the broker of http://mq:8161/api/jolokia", "the broker stomp://mq:61613"}
    jolokia, plugin = both["the broker of http://mq:8161/api/jolokia"], both["the broker stomp://mq:61613"]
    assert isinstance(jolokia, JolokiaAsk)
    assert isinstance(plugin, StatisticsAsk)
    assert plugin.jolokia == ("http://mq:8161/api/jolokia",), "it leaves out what that covers"
    assert jolokia.watched == plugin.watched
    assert "Consumer.t.transfer.fts_monitoring_start" in jolokia.watched.ours
    assert jolokia.watched.is_virtual("Consumer.somebody.transfer.fts_monitoring_start")
    assert not jolokia.watched.is_virtual("Consumer.somebody.transfer.other")


def test_limits_are_those_of_the_settings() -> None:
    assert limits(settings({})) == Limits()
    own = {
        "BACKLOG_LIMIT": "7",
        "BACKLOG_LIMITS": "Consumer.t.a=9, *state=8",
        "ALERTS_OLDEST_MINUTES": "2",
        "ALERTS_SILENT_MINUTES": "0",
        "ALERTS_SOURCES": "quiet.example.org=1440",
        "ALERTS_TOPOLOGY_HOURS": "1",
        "ALERTS_DEAD_LETTERS": "3",
    }
    found = limits(settings(own))
    assert found == Limits(7, (("Consumer.t.a", 9), ("*state", 8)), 120, 0, (("quiet.example.org", 86_400),), 3600, 3)
    assert [found.backlog_of(name) for name in ("Consumer.t.a", "Consumer.t.state", "x")] == [9, 8, 7]
    assert [found.silent_of(name) for name in ("quiet.example.org", "x")] == [86_400, 0]


def test_the_log_is_told_always_and_others_where_they_are_set(tmp_path: Path) -> None:
    assert [sender.name for sender in senders(settings({}))] == ["log"]
    told = {"ALERTS_MAIL_TO": "a@x.org,b@x.org", "ALERTS_ALERTMANAGER": "http://am:9093"}
    assert [sender.name for sender in senders(settings(told))] == ["log", "mail", "alertmanager"]
    with pytest.raises(ConfigurationError, match="alerts_smtp_password_file"):
        senders(settings(told | {"ALERTS_SMTP_PASSWORD_FILE": str(tmp_path / "absent")}))


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"USER": "me"}, "both alerts_alertmanager_user and alerts_alertmanager_password_file"),
        ({"PASSWORD_FILE": __file__}, "both alerts_alertmanager_user and alerts_alertmanager_password_file"),
        ({"USER": "me", "PASSWORD_FILE": __file__, "TOKEN_FILE": __file__}, "two logins"),
        ({"TOKEN_FILE": "/nowhere"}, "alerts_alertmanager_token_file, /nowhere, cannot be read"),
        ({"CA_FILE": "/nowhere"}, "alerts_alertmanager_ca_file, /nowhere, cannot be read"),
        ({"TOKEN_FILE": __file__, "": "https://a:9093,http://b:9093"}, "never sent without TLS"),
    ],
)
def test_a_login_at_alertmanager_is_one_whole_and_goes_over_tls(own: Mapping[str, str], says: str) -> None:
    named = {f"ALERTS_ALERTMANAGER{'_' * bool(name)}{name}": value for name, value in own.items()}
    with pytest.raises(ConfigurationError, match=says):
        senders(settings({"ALERTS_ALERTMANAGER": "https://am:9093"} | named))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ALERTS_SMTP", value) for value in ("mx:25", "http://mx", "smtp://", "smtp://me@mx", "smtps://mx:99999")),
        *(("ALERTS_MAIL_TO", value) for value in ("nobody", "a@x.org, b", "a@x.org\nBcc: c@x.org", ",")),
        ("ALERTS_MAIL_FROM", "me <me@x.org>"),
        *(("ALERTS_SOURCES", value) for value in ("a", "a=", "=1", "a=-1", "a=x")),
        ("ALERTS_SAMPLE_SECONDS", "31"),
        ("ALERTS_ALERTMANAGER", "am:9093"),
        ("ALERTS_ALERTMANAGER", "https://me:secret@am:9093"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"TRANSFERSCOPE_{name}"):
        settings({name: value})
