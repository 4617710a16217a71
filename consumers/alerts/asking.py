"""What a broker tells of its queues over STOMP: the age of what waits, and all counts where Jolokia is closed.

Facts: a SUBSCRIBE with ``browser:true`` is sent what waits and takes nothing out, and its last message has the header
``browser:end`` (ActiveMQ's STOMP extensions). A message to ``ActiveMQ.Statistics.Destination.PATTERN`` is answered with
a map for each queue, and with an empty one at the end, if the broker has the statistics plugin (``StatisticsBroker``);
as JSON it needs XStream and Jettison there.
"""

from __future__ import annotations

import json
import queue
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from consumers.errors import Unreachable
from consumers.stomp.endpoint import SERVICE, Endpoint, Login
from consumers.stomp.frames import Delivery
from consumers.stomp.session import Lost, Session

ANSWER_WITHIN_S = 4.0
_LOOK_S = 0.2
_BYE_S = 1.0
_ASK = "ActiveMQ.Statistics.Destination."


class Statistics(NamedTuple):
    """A queue; the last three count since the broker's start. ``oldest_s``: the age of its first message."""

    name: str
    depth: int
    oldest_s: float | None
    consumers: int
    expired: int
    enqueued: int
    dequeued: int


class NoStatistics(Unreachable):
    """The broker lets us in and says nothing at all: it has no statistics plugin, or hangs."""


class _Inbox:
    """Keeps what comes; there is always room, because so little is asked for."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Delivery] = queue.SimpleQueue()

    def put(self, messages: list[Delivery]) -> None:
        for message in messages:
            self._messages.put(message)

    def wait_for_room(self, timeout_s: float) -> bool:
        return True

    def messages(self, session: Session) -> Iterator[Delivery]:
        """What comes in the time for an answer. Raises Lost when the connection ends before that."""
        until = time.monotonic() + ANSWER_WITHIN_S
        while (left := until - time.monotonic()) > 0:
            try:
                yield self._messages.get(timeout=min(left, _LOOK_S))
            except queue.Empty:
                if session.lost is not None:
                    raise Lost(session.lost) from None


def oldest(endpoint: Endpoint, login: Login, names: Sequence[str]) -> dict[str, float]:
    """The age in s of the first message of each of these queues, as far as the broker tells it in time.

    Only for queues that are there: one that is not would come into being. Raises Unreachable.
    """
    inbox = _Inbox()
    session = Session.open(endpoint, login, inbox)
    found: dict[str, float] = {}
    try:
        for number, name in enumerate(names):
            session.subscribe(str(number), f"/queue/{name}", prefetch=1, headers={"browser": "true"})
        answered = set[int]()
        for message in inbox.messages(session):
            number = int(message.headers["subscription"])
            if number not in answered and "timestamp" in message.headers:
                found[names[number]] = max(0.0, time.time() - int(message.headers["timestamp"]) / 1000)
            answered.add(number)
            if len(answered) == len(names):
                break
    except Lost as error:
        raise Unreachable(SERVICE, str(endpoint), str(error)) from error
    finally:
        session.close(_BYE_S)
    return found


def statistics(endpoint: Endpoint, login: Login, patterns: Sequence[str]) -> list[Statistics]:
    """Every queue whose name fits one of the patterns (``*`` is a part of a name, ``>`` the rest of it).

    Raises Unreachable, NoStatistics when nothing answers.
    """
    replies = f"/temp-queue/statistics-{uuid.uuid4().hex}"  # an answer that comes late finds nobody
    inbox = _Inbox()
    session = Session.open(endpoint, login, inbox)
    found: dict[str, Statistics] = {}
    ends = 0
    try:
        session.subscribe("0", replies, prefetch=1000, headers={"transformation": "jms-map-json"})
        for pattern in patterns:
            session.send(f"/queue/{_ASK}{pattern}", b"", _question(replies))
        for message in inbox.messages(session):
            said = _map(message.body)
            if said:
                each = _statistics(said)
                found[each.name] = each
            else:
                ends += 1
            if ends == len(patterns):
                return list(found.values())
    except Lost as error:
        raise Unreachable(SERVICE, str(endpoint), str(error)) from error
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise Unreachable(SERVICE, str(endpoint), "its statistics are not understood") from error
    finally:
        session.close(_BYE_S)
    within = f"within {ANSWER_WITHIN_S:.0f} s"
    if found or ends:
        raise Unreachable(SERVICE, str(endpoint), f"its statistics were not complete {within}")
    raise NoStatistics(
        SERVICE, str(endpoint), f"no statistics {within}: it needs statisticsBrokerPlugin, or broker_api its Jolokia"
    )


def _question(replies: str) -> dict[str, str]:
    # It expires, so that a broker without the plugin does not keep it.
    expires = str(int((time.time() + ANSWER_WITHIN_S) * 1000))
    headers = (f"{_ASK}Include.First.Message.Timestamp", f"{_ASK}List.End.With.Null")
    return {"reply-to": replies, "expires": expires, **dict.fromkeys(headers, "true")}


def _map(body: bytes) -> dict[str, Any]:
    """The map of a reply: each entry has its name and its value under "string", or the value under its own type."""
    entries = (json.loads(body)["map"] or {"entry": []})["entry"]
    said = {}
    for entry in entries:
        name, *values = entry["string"] if isinstance(entry["string"], list) else [entry["string"]]
        values += [value for kind, value in entry.items() if kind != "string"]
        said[name] = values[0]
    return said


def _statistics(said: dict[str, Any]) -> Statistics:
    first_ms = said.get("firstMessageTimestamp")
    return Statistics(
        str(said["destinationName"]).removeprefix("queue://"),
        int(said["size"]),
        None if first_ms is None else max(0.0, time.time() - int(first_ms) / 1000),
        *(int(said[name]) for name in ("consumerCount", "expiredCount", "enqueueCount", "dequeueCount")),
    )
