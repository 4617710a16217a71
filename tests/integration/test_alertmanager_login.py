"""A real Alertmanager behind TLS and a password, and one behind a proxy that wants a token: refusals are told, tried
again, and tell no secret."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.alerts.notify import Channel, NotSent
from consumers.alerts.senders.alertmanager import Alertmanager, AlertmanagerSettings
from pipeline.stages.alert_notices import News, Notice
from pipeline.stages.alert_rules import Finding
from pipeline.store.alerts import raise_alert
from pipeline.store.session import connect
from tests.support.alertmanager import PASSWORD, USER, alertmanager
from tests.support.certificates import Authority
from tests.support.debian import Missing
from tests.support.mailbox import mailbox
from tests.support.webhook import Webhook, webhook

NOW = datetime.now(UTC)
NEWS = News((Notice(1, "backlog", "queue q on mq1:8161", NOW, None, 6000, 5000, "6000 messages wait", None),), (), ())
TOKEN = "t0ken-of-ours"


def refusal(settings: AlertmanagerSettings) -> str:
    """Why nothing was sent: in one line, without a secret."""
    with pytest.raises(NotSent) as refused:
        Alertmanager(settings).send(NEWS, NOW)
    why = str(refused.value)
    assert PASSWORD not in why
    assert TOKEN not in why
    assert "\n" not in why
    return why


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def proxy(authority: Authority) -> Iterator[Webhook]:
    """What stands before Alertmanager where logins are those of a proxy."""
    pair = authority.pair("proxy", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with webhook(context) as server:
        yield server


@pytest.mark.stack
def test_a_real_alertmanager_with_tls_and_password_says_why_not_and_is_told_at_last(
    authority: Authority, tmp_path: Path, database_url: str
) -> None:
    password = tmp_path / "password"
    password.write_text("wrong\n")
    now_s = 0.0
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        raise_alert(cursor, Finding("backlog", "queue q on b", 6000, 5000, "6000 messages wait"), NOW)
    try:
        with webhook() as receiver, alertmanager(tmp_path, receiver.url, authority) as server:
            right = AlertmanagerSettings((server.url,), "", USER, password, ca_file=authority.certificate)
            channel = Channel(database_url, Alertmanager(right), clock=lambda: now_s)
            assert not channel.look()
            why = channel.why or ""
            assert why.startswith(f"{server.url}/api/v2/alerts refuses {USER} (401): correct alerts_alertmanager_user")
            assert "wants a login (401)" in refusal(right._replace(user=None, password_file=None))
            untrusted = refusal(right._replace(ca_file=None))
            assert "not trusted" in untrusted
            assert "alerts_alertmanager_ca_file" in untrusted
            elsewhere = refusal(right._replace(addresses=(server.url.replace("127.0.0.1", "localhost"),)))
            assert "not trusted" in elsewhere
            assert "renewed or corrected" in elsewhere
            assert "answers 400" in refusal(right._replace(addresses=(server.url.replace("https", "http"),)))
            assert server.alerts() == []
            password.write_text(f"{PASSWORD}\n")
            assert not channel.look(), "it is not asked at once again"
            now_s = 60.0
            assert channel.look(), "a password that was corrected counts without a restart"
            assert channel.why is None
            assert [each["labels"]["subject"] for each in server.alerts()] == ["queue q on b"]
            channel.close()
    except Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def test_a_token_goes_along_and_nothing_of_it_into_a_refusal(
    proxy: Webhook, authority: Authority, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    settings = AlertmanagerSettings((proxy.url,), token_file=token, ca_file=authority.certificate)
    assert f"{token} cannot be read" in refusal(settings)
    token.write_text(f"{TOKEN}\n{TOKEN}\n")
    assert f"{token} holds no token" in refusal(settings)
    token.write_text(f"{TOKEN}\n")
    proxy.answers = 401
    assert f"refuses the token (401): renew the one in {token}" in refusal(settings)
    proxy.answers = 200
    Alertmanager(settings).send(NEWS, NOW)
    assert proxy.authorizations == [f"Bearer {TOKEN}"] * 2
    assert [path for path, _ in proxy.told] == ["/api/v2/alerts"]


def test_what_is_sent_elsewhere_was_not_taken_and_the_login_does_not_follow(
    proxy: Webhook, authority: Authority, tmp_path: Path
) -> None:
    """A client that follows makes a get of the post: it is answered, and nobody was told."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with webhook() as elsewhere:
        proxy.answers, proxy.points_to = 302, f"{elsewhere.url}/login?from=alerts"
        why = refusal(AlertmanagerSettings((proxy.url,), token_file=token, ca_file=authority.certificate))
        assert elsewhere.authorizations == []
    assert f"points to {elsewhere.url}/login (302)" in why


def test_what_is_no_http_or_no_authority_is_said(tmp_path: Path) -> None:
    with mailbox() as box:
        assert "does not speak HTTP" in refusal(AlertmanagerSettings((f"http://127.0.0.1:{box.port}",)))
        assert "does not speak TLS" in refusal(AlertmanagerSettings((f"https://127.0.0.1:{box.port}",)))
    nothing = tmp_path / "empty.pem"
    nothing.write_text("")
    assert f"{nothing} holds no certificates" in refusal(AlertmanagerSettings(("https://x:1",), ca_file=nothing))
