"""A mail server for tests (aiosmtpd): keeps what it is given, with TLS and login where they are asked for."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from pipeline.devstack.plan import free_ports

USER, PASSWORD = "alerter", "s3cret"


class Mailbox:
    """``refuses`` is what it answers instead of taking a mail, such as "451 later"."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.users: list[str] = []
        self.refuses: str | None = None
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.refuses is not None:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.recipients.append(list(envelope.rcpt_tos))
        self.mails.append(mail)
        return "250 kept"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        if is_known:
            self.users.append(data.login.decode())
        return AuthResult(success=is_known, handled=False)

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


@contextmanager
def mailbox(scheme: str = "smtp", context: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A running one; with ``context``, login is required, over STARTTLS or, for smtps, TLS from the start."""
    box = Mailbox()
    options: dict[str, Any] = {}
    if context is not None:
        options = {"authenticator": box.authenticate, "auth_required": True, "auth_require_tls": scheme != "smtps"}
        options |= {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    (box.port,) = free_ports(1)
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
