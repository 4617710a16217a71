"""Mail: one message for all that is new, by SMTP with or without TLS and login."""

from __future__ import annotations

import logging
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from consumers.alerts.notify import SEND_WITHIN_S, NotSent
from pipeline.stages.alert_notices import News, Policy, body, headline

log = logging.getLogger(__name__)

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LONGEST_SUBJECT = 150


class MailSettings(NamedTuple):
    """``url`` is ``smtp://`` (plain), ``smtp+starttls://`` or ``smtps://`` with host and perhaps port.

    The password's file is read for each message, so that a changed one counts. ``page`` is the address of the page of
    alerts, "" where there is none.
    """

    url: str
    recipients: tuple[str, ...]
    sender: str
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    page: str = ""


class Mail:
    """Grouped: a storm is one mail, and one that goes on is a few an hour."""

    name = "mail"

    def __init__(self, settings: MailSettings, repeat_s: float) -> None:
        self.policy = Policy(repeat_s)
        self._settings = settings

    def send(self, news: News, at: datetime) -> None:
        message = written(self._settings, news, at)
        try:
            with _connected(self._settings) as server:
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            why = getattr(error, "smtp_error", None)
            said = why.decode(errors="replace") if isinstance(why, bytes) else str(error) or type(error).__name__
            raise NotSent(f"{self._settings.url}: {said}") from error
        if refused:
            log.error("mail: refused for %s", ", ".join(sorted(refused)))


def written(settings: MailSettings, news: News, at: datetime) -> EmailMessage:
    """The mail, in plain text."""
    message = EmailMessage()
    subject = f"[transferscope] {headline(news)}"
    message["Subject"] = subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[: _LONGEST_SUBJECT - 1]}…"
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain="transferscope")
    message["Auto-Submitted"] = "auto-generated"
    if news.is_urgent:
        message["Importance"] = "high"
    message.set_content(body(news, settings.page))
    return message


def _connected(settings: MailSettings) -> smtplib.SMTP:
    """A connection that is ready to take a message. Raises OSError, SMTPException."""
    parts = urlsplit(settings.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, timeout=SEND_WITHIN_S, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SEND_WITHIN_S)
    try:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=context)
        if settings.user is not None:
            password = settings.password_file.read_text(encoding="utf-8").strip() if settings.password_file else ""
            server.login(settings.user, password)
    except BaseException:
        server.close()
        raise
    return server
