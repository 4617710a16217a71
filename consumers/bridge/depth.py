"""How full the brokers' queues are, asked of Jolokia (ActiveMQ's REST over JMX)."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from consumers.errors import Unreachable

_SERVICE = "Jolokia"
_TIMEOUT_S = 10.0
_NO_SUCH_BEAN = 404
_QUEUES = "org.apache.activemq:type=Broker,brokerName=*,destinationType=Queue,destinationName=*"
_BROKERS = "org.apache.activemq:type=Broker,brokerName=*"
_BROKER = re.compile(r"(?:^|[:,])brokerName=([^,]*)")
_ATTRIBUTES = {
    "name": "Name",
    "size": "QueueSize",
    "consumers": "ConsumerCount",
    "in_flight": "InFlightCount",
    "enqueued": "EnqueueCount",
    "dequeued": "DequeueCount",
    "expired": "ExpiredCount",
}


class QueueDepth(NamedTuple):
    """A queue of a broker. ``size`` counts every message that is not acknowledged, ``in_flight`` those of them that a
    consumer has; the last three count since the broker's start."""

    broker: str
    name: str
    size: int
    consumers: int
    in_flight: int
    enqueued: int
    dequeued: int
    expired: int


def queue_depths(api_url: str, user: str | None = None, password: str | None = None) -> list[QueueDepth]:
    """Every queue of the broker behind that address, by name. Raises Unreachable."""
    found = _read(api_url, user, password, _QUEUES, list(_ATTRIBUTES.values()))
    return sorted(_depth(bean, values) for bean, values in found.items())


def broker_version(api_url: str, user: str | None = None, password: str | None = None) -> str:
    """The version of the broker behind that address, "unknown" when it does not say. Raises Unreachable."""
    found = _read(api_url, user, password, _BROKERS, ["BrokerVersion"])
    return next((str(values["BrokerVersion"]) for values in found.values()), "unknown")


def broker_time(api_url: str, user: str | None = None, password: str | None = None) -> int:
    """What the broker's clock says, in whole s since the epoch. Raises Unreachable."""
    said = _ask(api_url, user, password, _BROKERS, ["BrokerVersion"])
    if not isinstance(told := said.get("timestamp"), int):
        raise Unreachable(_SERVICE, api_url, "it does not tell the time")
    return told


def _read(
    api_url: str, user: str | None, password: str | None, beans: str, attributes: list[str]
) -> dict[str, dict[str, Any]]:
    """The attributes of all beans of a pattern, by the bean's name; none where no bean is of that pattern."""
    said = _ask(api_url, user, password, beans, attributes)
    return {str(bean): values for bean, values in said.get("value", {}).items()}


def _ask(api_url: str, user: str | None, password: str | None, beans: str, attributes: list[str]) -> dict[str, Any]:
    """The answer as Jolokia gives it: ``timestamp``, and ``value`` unless there is no such bean."""
    request = urllib.request.Request(  # noqa: S310 - settings take http and https alone
        api_url.rstrip("/") + "/",
        # As a list and by POST: brokers whose Jolokia is locked down allow nothing else.
        data=json.dumps([{"type": "read", "mbean": beans, "attribute": attributes}]).encode(),
        headers={"Content-Type": "application/json", "Origin": "{0.scheme}://{0.hostname}".format(urlsplit(api_url))},
    )
    if user is not None:
        credentials = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
        request.add_header("Authorization", f"Basic {credentials}")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            why = "it refuses the user or password" if error.code in (401, 403) else f"it answers {error.code}"
        raise Unreachable(_SERVICE, api_url, why) from error
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(_SERVICE, api_url, getattr(reason, "strerror", None) or str(reason)) from error
    try:
        (found,) = said
        status = found["status"]
        if not all(isinstance(values, dict) for values in found.get("value", {}).values()):
            raise TypeError("a bean without attributes")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreachable(_SERVICE, api_url, "what answers there is not Jolokia") from error
    if status not in (200, _NO_SUCH_BEAN):
        raise Unreachable(_SERVICE, api_url, str(found.get("error", "it gives no answer")))
    return dict(found)


def _depth(bean: str, values: dict[str, Any]) -> QueueDepth:
    broker = _BROKER.search(bean)
    counts = {field: values[attribute] for field, attribute in _ATTRIBUTES.items()}
    return QueueDepth(broker[1] if broker else "", **counts)
