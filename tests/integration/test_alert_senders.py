"""Mail to a real SMTP server, alerts to a real Alertmanager; what they refuse is told, not lost."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumers.alerts.notify import NotSent
from consumers.alerts.senders.alertmanager import Alertmanager, AlertmanagerSettings
from consumers.alerts.senders.mail import Mail, MailSettings
from pipeline.devstack.plan import free_ports
from pipeline.stages.alert_notices import News, Notice
from tests.support.alertmanager import alertmanager
from tests.support.certificates import Authority
from tests.support.debian import Missing
from tests.support.mailbox import PASSWORD, USER, Mailbox, mailbox
from tests.support.waiting import eventually
from tests.support.webhook import Webhook, webhook

NOW = datetime.now(UTC)
OPEN = Notice(1, "backlog", "queue q on mq1:8161", NOW, None, 6000, 5000, "6000 messages wait", None)
NEWS = News((OPEN,), (), ())


def _alerts(receiver: Webhook, status: str) -> list[dict[str, Any]]:
    """What Alertmanager told of."""
    return [alert for _, each in list(receiver.told) for alert in each["alerts"] if alert["status"] == status]


def settings(box: Mailbox, scheme: str = "smtp", **more: Any) -> MailSettings:
    url = f"{scheme}://127.0.0.1:{box.port}"
    return MailSettings(url, ("night@x.org", "day@x.org"), "transferscope@x.org", page="https://x.org/alerts", **more)


def test_a_mail_says_who_what_and_where() -> None:
    with mailbox() as box:
        Mail(settings(box), 3600).send(NEWS, NOW)
    (mail,) = box.mails
    assert mail["Subject"] == "[transferscope] alert: backlog, queue q on mq1:8161"
    assert (mail["From"], mail["To"]) == ("transferscope@x.org", "night@x.org, day@x.org")
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    assert box.recipients == [["night@x.org", "day@x.org"]]
    text = mail.get_content()
    assert "6000 messages wait" in text
    assert "https://x.org/alerts" in text


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # of smtps: it does not see that TLS
@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_tls_is_verified_and_the_login_comes_from_a_file(scheme: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.pair("mail", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    password = tmp_path / "password"
    login: dict[str, Any] = {"user": USER, "password_file": password, "ca_file": authority.certificate}
    with mailbox(scheme, context) as box:
        mail = Mail(settings(box, scheme, **login), 3600)
        with pytest.raises(NotSent, match="password"):
            mail.send(NEWS, NOW)
        password.write_text("wrong\n")
        with pytest.raises(NotSent, match="Authentication"):
            mail.send(NEWS, NOW)
        password.write_text(f"{PASSWORD}\n")
        mail.send(NEWS, NOW)
        with pytest.raises(NotSent, match="certificate verify failed"):
            Mail(settings(box, scheme, user=USER, password_file=password), 3600).send(NEWS, NOW)
        strangers = authority.pair("strange", "elsewhere.example.org")
        context.load_cert_chain(strangers.certificate, strangers.key)
        with pytest.raises(NotSent, match="certificate verify failed"):
            mail.send(NEWS, NOW)
    assert len(box.mails) == 1
    assert box.users == [USER]


def test_a_server_without_tls_is_no_server_with_starttls() -> None:
    with mailbox() as box, pytest.raises(NotSent, match="STARTTLS"):
        Mail(settings(box, "smtp+starttls"), 3600).send(NEWS, NOW)
    assert box.mails == []


def test_what_a_mail_server_refuses_was_not_sent() -> None:
    with mailbox() as box:
        box.refuses = "451 come again"
        with pytest.raises(NotSent, match="come again"):
            Mail(settings(box), 3600).send(NEWS, NOW)
    with pytest.raises(NotSent, match="refused"):
        Mail(settings(box), 3600).send(NEWS, NOW)


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    with webhook() as server:
        yield server


def test_a_real_alertmanager_takes_alerts_and_their_end_and_tells_both(receiver: Webhook, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    nobody = f"http://127.0.0.1:{port}"
    try:
        with alertmanager(tmp_path, receiver.url) as server:
            sender = Alertmanager(AlertmanagerSettings((nobody, server.url), "https://x.org/alerts"))
            sender.send(NEWS, NOW)
            (held,) = server.alerts()
            assert held["labels"] == {
                "alertname": "backlog",
                "severity": "critical",
                "service": "transferscope",
                "subject": "queue q on mq1:8161",
            }
            assert held["annotations"] == {"summary": "6000 messages wait", "value": "6000", "threshold": "5000"}
            assert held["generatorURL"] == "https://x.org/alerts"
            (told,) = eventually(lambda: _alerts(receiver, "firing"))
            assert told["labels"]["alertname"] == "backlog"
            over = OPEN._replace(cleared_at=datetime.now(UTC), told_at=NOW)
            sender.send(News((), (), (over,)), datetime.now(UTC))
            (told,) = eventually(lambda: _alerts(receiver, "resolved"))
            assert told["labels"]["subject"] == "queue q on mq1:8161"
            assert server.alerts() == []
            late = OPEN._replace(raised_at=NOW + timedelta(hours=1), cleared_at=NOW)
            sender.send(News((), (), (late,)), NOW)
    except Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    with pytest.raises(NotSent, match="refused"):
        Alertmanager(AlertmanagerSettings((nobody, nobody))).send(NEWS, NOW)
