"""``transferscope web`` over TLS: who may trust it, what it does not answer, and what it does not start with."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support import postgres
from tests.support.certificates import Authority
from tests.support.commands import Commands
from tests.support.shell import Shell

pytestmark = pytest.mark.stack


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def address(database_url: str, authority: Authority, tmp_path: Path) -> Iterator[str]:
    pair = authority.pair("web", "127.0.0.1")
    settings = {
        postgres.VARIABLE: database_url,
        "TRANSFERSCOPE_WEB_CERT_FILE": str(pair.certificate),
        "TRANSFERSCOPE_WEB_KEY_FILE": str(pair.key),
    }
    commands = Commands(settings, tmp_path)
    try:
        running = commands.start("web", "--port", "0")
        running.await_word("listening on ")
        yield running.said().partition("listening on ")[2].split()[0]
        running.end()
    finally:
        commands.close()


def test_a_client_that_knows_the_authority_is_answered(address: str, authority: Authority) -> None:
    assert address.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=authority.certificate)
    with urlopen(f"{address}/readyz", timeout=60, context=context) as reply:
        assert reply.status == 200
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
    with pytest.raises(URLError, match=r"doesn't match|mismatch|not valid"):
        urlopen(address.replace("127.0.0.1", "localhost"), timeout=60, context=context)
    with pytest.raises(URLError, match="certificate verify failed"):
        urlopen(address, timeout=60, context=ssl.create_default_context())


def test_old_versions_of_tls_and_none_at_all_are_not_answered(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
        assert not answer.startswith(b"HTTP")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain, pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(plain)


@pytest.mark.parametrize(
    ("cert", "key", "sentence"),
    [
        ("web.pem", None, "set both or none"),
        (None, "web.key", "set both or none"),
        ("none.pem", "web.key", "none.pem, cannot be read"),
        ("web.pem", "other.key", "web_cert_file and web_key_file cannot be used"),
        ("web.key", "web.pem", "web_cert_file and web_key_file cannot be used"),
    ],
)
def test_files_that_do_not_fit_are_told(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    tmp_path: Path,
    cert: str | None,
    key: str | None,
    sentence: str,
) -> None:
    authority.pair("web", "127.0.0.1")
    authority.pair("other", "127.0.0.1")
    for variable, name in (("WEB_CERT_FILE", cert), ("WEB_KEY_FILE", key)):
        if name is not None:
            monkeypatch.setenv(f"TRANSFERSCOPE_{variable}", str(tmp_path / name))
    shell("web", code=2)
    assert sentence in shell.err
