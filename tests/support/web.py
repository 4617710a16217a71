"""A web server of a test's own: answers by path, with ETag and Last-Modified, and remembers what it was asked."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.support.certificates import Pair

MODIFIED = "Mon, 23 Nov 2026 08:00:00 GMT"


class Web:
    """``pages`` by path; a path in ``moved`` redirects; ``cut`` ends every answer after so many bytes;
    ``headers`` go with every answer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.cut: int | None = None
        self.has_etags = True
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, Mapping[str, str], int]] = []


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us leaves in the middle: nothing to report."""


@contextmanager
def web(tls: Pair | None = None) -> Iterator[Web]:
    """Serves until the block is left, over TLS with that certificate if one is given."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = self._status()
            served.asked.append((self.path, dict(self.headers), status))
            self.send_response(status)
            content = served.pages.get(self.path, b"")
            if status == 302:
                self.send_header("Location", served.moved[self.path])
            if served.has_etags:
                self.send_header("ETag", self._etag())
            else:
                self.send_header("Last-Modified", MODIFIED)
            self.send_header("Content-Length", str(len(content) if status == 200 else 0))
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if status == 200:
                self.wfile.write(content[: served.cut])

        def _status(self) -> int:
            if self.path in served.moved:
                return 302
            if self.path not in served.pages:
                return 404
            same = self.headers.get("If-None-Match") == self._etag() if served.has_etags else False
            return 304 if same or self.headers.get("If-Modified-Since") == MODIFIED else 200

        def _etag(self) -> str:
            return f'"{sha256(served.pages.get(self.path, b"")).hexdigest()[:16]}"'

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Page) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            # In the thread of the request: a client that breaks off must not break accept.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        served = Web(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
