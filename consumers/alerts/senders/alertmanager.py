"""Prometheus' Alertmanager: alerts as its API v2 takes them, so that its routes, silences and receivers take over.

As Prometheus does, every open alert is posted again and again; one that is no longer posted ends by itself. Facts:
Alertmanager's ``api/v2/openapi.yaml``, ``postableAlerts``.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from consumers.alerts.notify import SEND_WITHIN_S, NotSent
from pipeline.stages.alert_notices import News, Notice, Policy, plain

REPEAT_S = 60.0
HOLD_S = 1800.0
"""An alert that is not posted again for so long is over for Alertmanager: a restart or an outage of ours is shorter."""


class AlertmanagerSettings(NamedTuple):
    """``addresses`` are those of a cluster's members: each is told everything, and one that takes it is enough.

    A login is ``user`` with ``password_file``, or ``token_file`` with a bearer token. Files are read for each message,
    so that changed ones count. ``ca_file`` holds the authorities that may sign the certificates (None: those of the
    system). ``page`` is the address of the page of alerts, "" where there is none.
    """

    addresses: tuple[str, ...]
    page: str = ""
    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None


class Alertmanager:
    """Posts to every member, and is content when one has taken it."""

    name = "alertmanager"
    policy = Policy(REPEAT_S, within_s=0.0)

    def __init__(self, settings: AlertmanagerSettings) -> None:
        self._settings = settings

    def send(self, news: News, at: datetime) -> None:
        settings = self._settings
        data = json.dumps(documents(news, at, settings.page)).encode()
        headers = {"Content-Type": "application/json", **_login(settings)}
        opener = urllib.request.build_opener(_NowhereElse(), urllib.request.HTTPSHandler(context=_trust(settings)))
        reasons = []
        for address in settings.addresses:
            url = address.rstrip("/") + "/api/v2/alerts"
            request = urllib.request.Request(url, data, headers)  # noqa: S310 - settings take http and https alone
            try:
                opener.open(request, timeout=SEND_WITHIN_S).close()
            except (OSError, HTTPException) as error:
                reasons.append(f"{url} {_why(error, settings)}")
        if len(reasons) == len(settings.addresses):
            raise NotSent("; ".join(reasons))


def documents(news: News, at: datetime, page: str) -> list[dict[str, Any]]:
    """What is posted: ``alertname``, ``severity``, ``service`` and ``subject`` are an alert's labels."""
    return [_document(each, at, page) for each in (*news.raised, *news.lasting, *news.cleared)]


def _document(notice: Notice, at: datetime, page: str) -> dict[str, Any]:
    ends_at = notice.cleared_at or at + timedelta(seconds=HOLD_S)
    document: dict[str, Any] = {
        "labels": {
            "alertname": notice.rule,
            "severity": notice.severity,
            "service": "transferscope",
            "subject": plain(notice.subject),
        },
        "annotations": {
            "summary": plain(notice.detail),
            "value": f"{notice.value:g}",
            "threshold": f"{notice.threshold:g}",
        },
        "startsAt": notice.raised_at.isoformat(),
        "endsAt": max(ends_at, notice.raised_at + timedelta(milliseconds=1)).isoformat(),
    }
    return document | ({"generatorURL": page} if page else {})


class _NowhereElse(urllib.request.HTTPRedirectHandler):
    """A redirected post becomes a get, which is answered and brings nothing; and the login would go along."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


def _login(settings: AlertmanagerSettings) -> dict[str, str]:
    """The header that lets us in, none without a login. Raises NotSent when its file cannot be used."""
    if settings.token_file is not None:
        token = _secret(settings.token_file)
        if not (token.isascii() and token.isprintable()):  # http.client would tell it in its complaint
            raise NotSent(f"{settings.token_file} holds no token: one line of ASCII is expected")
        return {"Authorization": f"Bearer {token}"}
    if settings.user is not None:
        password = _secret(settings.password_file) if settings.password_file else ""
        return {"Authorization": "Basic " + base64.b64encode(f"{settings.user}:{password}".encode()).decode()}
    return {}


def _secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise NotSent(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8'})") from error


def _trust(settings: AlertmanagerSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except OSError as error:
        raise NotSent(f"{settings.ca_file} holds no certificates ({error})") from error


def _why(error: OSError | HTTPException, settings: AlertmanagerSettings) -> str:
    """What went wrong with a post, and what to do, to go behind its address."""
    if isinstance(error, urllib.error.HTTPError):
        with error:
            return _answered(error, settings)
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        said = reason.verify_message
        is_unknown = "self-signed" in said or "issuer" in said
        remedy = "put its authority into alerts_alertmanager_ca_file" if is_unknown else "have it renewed or corrected"
        return f"is not trusted, its certificate is refused ({said}): {remedy}"
    if isinstance(reason, ssl.SSLError):
        return f"does not speak TLS as it should ({(reason.reason or str(reason)).replace('_', ' ').lower()})"
    if isinstance(error, HTTPException):
        return f"does not speak HTTP ({type(error).__name__})"
    return f"cannot be reached: {reason}"


def _answered(error: urllib.error.HTTPError, settings: AlertmanagerSettings) -> str:
    if error.code in (401, 403):
        if settings.token_file is not None:
            return f"refuses the token ({error.code}): renew the one in {settings.token_file}"
        if settings.user is not None:
            return f"refuses {settings.user} ({error.code}): correct alerts_alertmanager_user or its password file"
        return f"wants a login ({error.code}): set alerts_alertmanager_user or alerts_alertmanager_token_file"
    if error.code in range(300, 400):
        elsewhere = urlsplit(error.headers.get("Location", ""))._replace(query="", fragment="").geturl()
        return f"points to {elsewhere or 'nowhere'} ({error.code}), where nothing is sent: correct alerts_alertmanager"
    try:
        said = error.read(200).decode(errors="replace").strip()
    except (OSError, HTTPException):
        said = error.reason
    return f"answers {error.code}: {said}"
