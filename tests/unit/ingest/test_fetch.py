"""HTTP: asked only for what changed, and every way in which an address can fail has its sentence."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from pipeline.ingest.fetch import Fetched, Limits, NotFetched, fetch
from pipeline.topology.compose import Dump, reading
from pipeline.topology.model import TopologyError
from tests.support.certificates import Authority
from tests.support.web import MODIFIED, Web, web


@pytest.fixture
def served() -> Iterator[Web]:
    with web() as running:
        running.pages["/t.json"] = b'{"a": 1}'
        yield running


def test_what_did_not_change_is_not_sent_again(served: Web) -> None:
    first = fetch(f"{served.address}/t.json")
    assert first is not None
    assert (first.content, first.last_modified) == (b'{"a": 1}', "")
    assert fetch(f"{served.address}/t.json", first.etag) is None
    served.pages["/t.json"] = b"{}"
    second = fetch(f"{served.address}/t.json", first.etag)
    assert second is not None
    assert second.content == b"{}"
    assert [status for _, _, status in served.asked] == [200, 304, 200]


def test_without_an_etag_the_time_of_the_last_change_serves(served: Web) -> None:
    served.has_etags = False
    assert fetch(f"{served.address}/t.json") == Fetched(b'{"a": 1}', "", MODIFIED)
    assert fetch(f"{served.address}/t.json", "", MODIFIED) is None


def refused(address: str, limits: Limits | None = None) -> str:
    with pytest.raises(NotFetched) as caught:
        fetch(address, limits=limits)
    assert address in str(caught.value)
    return str(caught.value)


def test_a_status_other_than_ok_is_told(served: Web) -> None:
    assert "404" in refused(f"{served.address}/none.json")


def test_an_answer_that_is_cut_off_is_not_taken_for_all(served: Web) -> None:
    served.cut = 5
    assert "cut off after 5 of 8 bytes" in refused(f"{served.address}/t.json")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(served: Web) -> None:
    served.pages["/t.json"] = b"x" * 1000
    assert "more than 999 bytes" in refused(f"{served.address}/t.json", Limits(largest=999))
    assert fetch(f"{served.address}/t.json", limits=Limits(largest=1000)) is not None


def test_a_redirect_is_followed_but_not_out_of_http(served: Web) -> None:
    served.moved = {"/old": "/t.json", "/file": "file:///etc/hostname", "/ftp": "ftp://127.0.0.1/x"}
    found = fetch(f"{served.address}/old")
    assert found is not None
    assert found.content == b'{"a": 1}'
    for path in ("/file", "/ftp"):
        refused(f"{served.address}{path}")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "http://[/x", "http://127.0.0.1:port/x"])
def test_what_cannot_be_reached_or_meant_is_told(address: str) -> None:
    refused(address)


ANSWERS = {
    "in its body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "in its headers": b"HTTP/1.1 200 OK\r\nX: ",
    "in its status": b"HTTP/1.1 200 ",
    "in the size of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
}


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that begins an answer, and then sends a byte every 50 ms, and no end."""
    stop = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)

        def drip() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.sendall(ANSWERS[request.param])
                    while not stop.wait(0.05):
                        try:
                            connection.sendall(b"x")
                        except OSError:
                            break

        thread = Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        stop.set()
        thread.join()


@pytest.mark.parametrize("dripping", ANSWERS, indirect=True)
def test_a_server_that_never_ends_is_left(dripping: str) -> None:
    began = time.monotonic()
    told = refused(dripping, Limits(whole_s=0.3))
    assert "in 0.3 s and is not done" in told or "longer than 0.3 s" in told
    assert time.monotonic() - began < 5


def test_redirects_that_never_end_are_left(served: Web) -> None:
    served.moved = {"/a": "/b", "/b": "/a", **{f"/{n}": f"/{n + 1}" for n in range(100)}}
    for path in ("/a", "/0"):
        assert "redirect" in refused(f"{served.address}{path}")
    assert len(served.asked) < 40


def test_what_is_packed_without_being_asked_for_stays_packed(served: Web) -> None:
    """So it is no topology, and takes no more room than it took on the way."""
    served.pages["/t.json"] = packed = gzip.compress(b" " * 10_000_000)
    served.headers["Content-Encoding"] = "gzip"
    found = fetch(f"{served.address}/t.json")
    assert found is not None
    assert found.content == packed
    with pytest.raises(TopologyError):
        reading(Dump("packed", found.content))


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html><body>Please log in</body></html>", b"\x89PNG\r\n\x1a\n\0\0", b"Not today.", b""]
)
def test_a_page_that_is_no_topology_is_refused_in_a_sentence(served: Web, page: bytes) -> None:
    served.pages["/t.json"] = page
    served.headers["Content-Type"] = "application/json"
    found = fetch(f"{served.address}/t.json")
    assert found is not None
    with pytest.raises(TopologyError, match="can't be used: "):
        reading(Dump(f"{served.address}/t.json", found.content))


def test_a_server_that_is_silent_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert "timed out" in refused(f"http://127.0.0.1:{listening.getsockname()[1]}/x", Limits(silence_s=0.2))


def test_https_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    with web(authority.pair("server", "127.0.0.1")) as served:
        served.pages["/t.json"] = b"{}"
        served.moved["/down"] = "http://127.0.0.1:1/t.json"
        assert "CERTIFICATE_VERIFY_FAILED" in refused(f"{served.address}/t.json")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        found = fetch(f"{served.address}/t.json")
        assert found is not None
        assert found.content == b"{}"
        assert "less safe" in refused(f"{served.address}/down")
    with web(authority.pair("other", "other.example.org")) as served:
        served.pages["/t.json"] = b"{}"
        assert "CERTIFICATE_VERIFY_FAILED" in refused(f"{served.address}/t.json")
