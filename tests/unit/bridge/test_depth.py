"""Jolokia's answers, from a server of this process that gives what a broker gives."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from consumers.bridge.depth import QueueDepth, queue_depths
from consumers.errors import Unreachable

LOGIN = "Basic " + base64.b64encode(b"user:secret").decode()
BEAN = "org.apache.activemq:brokerName=b1,destinationName={},destinationType=Queue,type=Broker"


def values(name: str, size: int) -> dict[str, Any]:
    counts = {"ConsumerCount": 1, "InFlightCount": 2, "EnqueueCount": 3, "DequeueCount": 4, "ExpiredCount": 5}
    return {"Name": name, "QueueSize": size, **counts}


class Jolokia(HTTPServer):
    """Strict as a current broker: POST, a list, an Origin, a login."""

    answer: Any = None

    class Handler(BaseHTTPRequestHandler):
        server: Jolokia

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code = 401 if self.headers["Authorization"] != LOGIN else 200
            if not isinstance(asked, list) or not self.headers["Origin"]:
                code = 403
            body = (
                self.server.answer if isinstance(self.server.answer, bytes) else json.dumps(self.server.answer).encode()
            )
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/jolokia"


@pytest.fixture
def jolokia() -> Iterator[Jolokia]:
    with Jolokia(("127.0.0.1", 0), Jolokia.Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_every_queue_is_told_with_its_counts(jolokia: Jolokia) -> None:
    found = {BEAN.format(name): values(name, size) for name, size in (("Consumer.x.t", 7), ("ActiveMQ.DLQ", 0))}
    jolokia.answer = [{"status": 200, "value": found}]
    assert queue_depths(jolokia.url, "user", "secret") == [
        QueueDepth("b1", "ActiveMQ.DLQ", 0, 1, 2, 3, 4, 5),
        QueueDepth("b1", "Consumer.x.t", 7, 1, 2, 3, 4, 5),
    ]


def test_a_broker_without_queues_has_none(jolokia: Jolokia) -> None:
    jolokia.answer = [{"status": 404, "error": "javax.management.InstanceNotFoundException"}]
    assert queue_depths(jolokia.url, "user", "secret") == []


def test_a_wrong_password_is_told(jolokia: Jolokia) -> None:
    with pytest.raises(Unreachable, match="it refuses the user or password"):
        queue_depths(jolokia.url, "user", "wrong")


def test_a_refusal_of_jolokia_is_told_with_its_reason(jolokia: Jolokia) -> None:
    jolokia.answer = [{"status": 403, "error": "not allowed by the restrictor"}]
    with pytest.raises(Unreachable, match="not allowed by the restrictor"):
        queue_depths(jolokia.url, "user", "secret")


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b"[]", b"[7]", b'[{"status": 200, "value": 3}]'])
def test_something_else_at_that_address_is_unreachable_too(jolokia: Jolokia, answer: bytes) -> None:
    jolokia.answer = answer
    with pytest.raises(Unreachable):
        queue_depths(jolokia.url, "user", "secret")


def test_nobody_at_that_address_is_told(jolokia: Jolokia) -> None:
    with pytest.raises(Unreachable, match=r"Jolokia at .* cannot be reached"):
        queue_depths("http://127.0.0.1:1/api/jolokia")
