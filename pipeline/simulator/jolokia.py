"""Brokers that tell of their queues as Jolokia does, without a broker behind it: for benchmarks.

The form of question and answer is that of Jolokia's bulk ``read`` of a pattern; a contract test holds it to ActiveMQ's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_BEAN = "org.apache.activemq:brokerName=local,destinationName={},destinationType=Queue,type=Broker"


class Jolokia(ThreadingHTTPServer):
    """A broker with queues of these names, each with 40 messages, a consumer, and 25 more at every question."""

    daemon_threads = True

    class _Handler(BaseHTTPRequestHandler):
        server: Jolokia

        def do_POST(self) -> None:
            (asked,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps([self.server.answer(asked["attribute"])]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), self._Handler)
        self._names = names
        self.asked = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}/api/jolokia"

    def answer(self, attributes: Sequence[str]) -> dict[str, Any]:
        """What Jolokia says of these attributes of all queues."""
        self.asked += 1
        counts = {
            "QueueSize": 40,
            "ConsumerCount": 1,
            "InFlightCount": 0,
            "EnqueueCount": 40 + 25 * self.asked,
            "DequeueCount": 25 * self.asked,
            "ExpiredCount": 0,
        }
        found = {
            _BEAN.format(name): {each: name if each == "Name" else counts[each] for each in attributes}
            for name in self._names
        }
        return {"status": 200, "timestamp": 0, "value": found}


@contextmanager
def brokers(names: Sequence[Sequence[str]]) -> Iterator[list[Jolokia]]:
    """Running ones, one for each list of queues."""
    with ExitStack() as stack:
        running = [stack.enter_context(Jolokia(each)) for each in names]
        for server in running:
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
            stack.callback(server.shutdown)
        yield running
