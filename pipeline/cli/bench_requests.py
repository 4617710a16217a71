"""Requests of a benchmark: one client that keeps its connection, whole replies, how long each took."""

from __future__ import annotations

import gzip
import http.client
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipeline.cli.children import Died


class Reply(NamedTuple):
    """A reply as it came over the wire, ``body`` still compressed, and the seconds until its last byte was there."""

    status: int
    tag: str | None
    body: bytes
    seconds: float


class Client:
    """One connection to a server, kept open; asks for gzip as browsers do."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """The reply; raises Died for one that is neither 200 nor 304."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip", **(headers or {})})
        reply = self._connection.getresponse()
        body = reply.read()
        seconds = time.perf_counter() - began
        if reply.status not in (200, 304):
            raise Died(f"GET {path} was answered with {reply.status}: {body[:500].decode(errors='replace')}")
        return Reply(reply.status, reply.getheader("ETag"), body, seconds)

    def document(self, path: str) -> Any:
        """What a reply of JSON says."""
        body = self.get(path).body
        return json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def timed(client: Client, path: str, requests: int) -> list[float]:
    """The ms of each of so many requests, after one that is not counted: it warms the database's cache."""
    client.get(path)
    return [client.get(path).seconds * 1000 for _ in range(requests)]


def timed_unchanged(client: Client, path: str, requests: int) -> list[float]:
    """The ms of so many requests that were answered with 304.

    A tag of a range that holds now lives for a minute: an answer that has changed brings the next one.
    """
    tag = client.get(path).tag or ""
    found: list[float] = []
    while len(found) < requests:
        reply = client.get(path, {"If-None-Match": tag})
        if reply.status == 304:
            found.append(reply.seconds * 1000)
        else:
            tag = reply.tag or ""
    return found


def weight(client: Client, path: str) -> int:
    """Bytes on the wire of a page and of the files that it names: compressed, without headers."""
    page = client.get(path)
    text = gzip.decompress(page.body).decode()
    files = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)))
    return len(page.body) + sum(len(client.get(file).body) for file in files)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all values does not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
