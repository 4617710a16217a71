"""A server that takes what is posted to it as JSON, wherever, and keeps it."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook(ThreadingHTTPServer):
    """``told`` are the paths with the documents, ``told_at`` the times, in seconds since the epoch.

    ``answers`` is the status that it answers with: what it does not answer with 200 it does not keep. ``points_to``
    goes with it as the address to ask instead. ``authorizations`` are the logins of all that was posted.
    """

    class Handler(BaseHTTPRequestHandler):
        server: Webhook

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.authorizations.append(self.headers["Authorization"])
            if self.server.answers == 200:
                self.server.told_at.append(time.time())
                self.server.told.append((self.path, document))
            self.send_response(self.server.answers)
            if self.server.points_to:
                self.send_header("Location", self.server.points_to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Webhook.Handler)
        self.told: list[tuple[str, Any]] = []
        self.told_at: list[float] = []
        self.authorizations: list[str | None] = []
        self.scheme = "http"
        self.answers = 200
        self.points_to = ""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"


@contextmanager
def webhook(context: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    """A running one; over TLS with a context."""
    with Webhook() as server:
        if context is not None:
            server.scheme = "https"
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
