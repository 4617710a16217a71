"""A server that takes what is posted to it as JSON, wherever, and keeps it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook(ThreadingHTTPServer):
    """``told`` are the paths with the documents, ``told_at`` the times, in seconds since the epoch."""

    class Handler(BaseHTTPRequestHandler):
        server: Webhook

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.told_at.append(time.time())
            self.server.told.append((self.path, document))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Webhook.Handler)
        self.told: list[tuple[str, Any]] = []
        self.told_at: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A running one."""
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
