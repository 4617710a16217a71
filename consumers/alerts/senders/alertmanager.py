"""Prometheus' Alertmanager: alerts as its API v2 takes them, so that its routes, silences and receivers take over.

As Prometheus does, every open alert is posted again and again; one that is no longer posted ends by itself. Facts:
Alertmanager's ``api/v2/openapi.yaml``, ``postableAlerts``.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from consumers.alerts.notify import SEND_WITHIN_S, NotSent
from pipeline.stages.alert_notices import News, Notice, Policy, plain

REPEAT_S = 60.0
HOLD_S = 1800.0
"""An alert that is not posted again for so long is over for Alertmanager: a restart or an outage of ours is shorter."""


class Alertmanager:
    """``addresses`` are those of a cluster's members: each is told everything, and one that takes it is enough."""

    name = "alertmanager"
    policy = Policy(REPEAT_S, within_s=0.0)

    def __init__(self, addresses: Sequence[str], page: str = "") -> None:
        self._addresses = addresses
        self._page = page

    def send(self, news: News, at: datetime) -> None:
        data = json.dumps(documents(news, at, self._page)).encode()
        reasons = [why for address in self._addresses if (why := _post(address, data)) is not None]
        if len(reasons) == len(self._addresses):
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


def _post(address: str, data: bytes) -> str | None:
    """Why it was not taken; None when it was."""
    url = address.rstrip("/") + "/api/v2/alerts"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - settings take http and https alone
    try:
        with urllib.request.urlopen(request, timeout=SEND_WITHIN_S):  # noqa: S310 - as above
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} answers {error.code}: {error.read(200).decode(errors='replace').strip()}"
    except OSError as error:
        return f"{url}: {getattr(error, 'reason', error)}"
