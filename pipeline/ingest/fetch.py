"""Content of an HTTP address, asked for only if it changed.

With urllib of the standard library: one GET now and then needs no pool and no session, its TLS checks certificate and
host name by default (authorities of the system, or SSL_CERT_FILE), it heeds the proxies of the environment, and nothing
has to be kept up to date.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse
from threading import Event, Timer
from typing import IO, Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

SILENCE_S = 30
"""Longest wait for the next bytes."""

WHOLE_S = 300
"""Longest time for all of it."""

LARGEST = 64 * 2**20
"""Bytes; the largest real dump, GOCDB's, has about ten million."""

_CHUNK = 64 * 2**10
_NOT_MODIFIED = 304


class NotFetched(Exception):
    """An address that cannot be had: the text is one sentence with the address and the reason."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"the topology at {address} cannot be reached: {why}")


class Limits(NamedTuple):
    """How long, in seconds, and how much, in bytes, is accepted."""

    silence_s: float = SILENCE_S
    whole_s: float = WHOLE_S
    largest: int = LARGEST


class Fetched(NamedTuple):
    """What an address gave, with what it is to be asked with the next time ("" where it told none)."""

    content: bytes
    etag: str
    last_modified: str


class _Redirects(HTTPRedirectHandler):
    def redirect_request(
        self, request: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        allowed = ("https://",) if request.full_url.lower().startswith("https://") else ("https://", "http://")
        if not newurl.lower().startswith(allowed):
            fp.close()
            raise NotFetched(request.full_url, f"it redirects to {newurl}, which is less safe")
        return super().redirect_request(request, fp, code, msg, headers, newurl)


class _Watched:
    """The connections of one fetch, cut when its time is over: a server may send a byte now and then for ever, in its
    headers or between two chunks, where nobody but the socket hears of it."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._is_over = Event()

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self._is_over.is_set()

    @contextmanager
    def for_seconds(self, seconds: float) -> Iterator[None]:
        """The time that there is."""
        timer = Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def connection(self, kind: Callable[..., HTTPConnection], host: str, **how: Any) -> HTTPConnection:
        """A connection of that kind."""
        made = kind(host, **how)
        connect = made.connect

        def connect_and_watch() -> None:
            connect()
            self._sockets.append(made.sock)
            if self.is_over:
                self._cut()

        made.connect = connect_and_watch  # type: ignore[method-assign]
        return made

    def _cut(self) -> None:
        self._is_over.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class _Handler(HTTPHandler, HTTPSHandler):
    """For http and https."""

    def __init__(self, watched: _Watched) -> None:
        super().__init__()
        self._watched = watched

    def do_open(self, http_class: Any, req: Request, **how: Any) -> HTTPResponse:
        return super().do_open(partial(self._watched.connection, http_class), req, **how)


def fetch(address: str, etag: str = "", last_modified: str = "", limits: Limits | None = None) -> Fetched | None:
    """The content of an http or https address; None when it is what ``etag`` and ``last_modified`` were told with.

    Raises NotFetched: unreachable, refused, another status than 200, too slow, too large, or cut off.
    """
    limits = limits or Limits()
    watched = _Watched()
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    try:
        headers = {name: value for name, value in conditions.items() if value}
        request = Request(address, headers=headers)  # noqa: S310 - callers take http and https alone
        with (
            watched.for_seconds(limits.whole_s),
            _opener(watched).open(request, timeout=limits.silence_s) as reply,
        ):
            content = _read(address, reply, limits, watched)
            return Fetched(content, reply.headers.get("ETag", ""), reply.headers.get("Last-Modified", ""))
    except HTTPError as error:
        with error:
            if error.code == _NOT_MODIFIED and (etag or last_modified):
                return None
            raise NotFetched(address, f"it answers {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        if watched.is_over:
            raise NotFetched(address, f"it takes longer than {limits.whole_s:g} s") from error
        raise NotFetched(address, str(error) or type(error).__name__) from error


def _opener(watched: _Watched) -> OpenerDirector:
    return build_opener(_Redirects, _Handler(watched))


def _read(address: str, reply: HTTPResponse, limits: Limits, watched: _Watched) -> bytes:
    expected = reply.headers.get("Content-Length", "")
    chunks: list[bytes] = []
    size = 0
    while chunk := reply.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limits.largest:
            raise NotFetched(address, f"it sends more than {limits.largest} bytes")
    if watched.is_over:
        raise NotFetched(address, f"it has sent {size} bytes in {limits.whole_s:g} s and is not done")
    if expected.isdigit() and size < int(expected):
        raise NotFetched(address, f"it was cut off after {size} of {expected} bytes")
    return b"".join(chunks)
