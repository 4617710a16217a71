"""The broker's TLS connector: who is let in and who is not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.devstack.errors import StackError
from pipeline.devstack.plan import ACTIVEMQ, POSTGRES, BrokerTls
from pipeline.devstack.stack import Stack
from tests.support.certificates import PASSWORD, Authority, Pair
from tests.support.stomp_client import StompClient

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("secured")
    (folder / "password").write_bytes(PASSWORD)
    tls = BrokerTls(authority.key_store("broker", "127.0.0.1"), folder / "password", authority.trust_store())
    with Stack.up(folder / "stack", {ACTIVEMQ}, tls=tls) as stack:
        yield stack


def password_of(stack: Stack) -> str:
    return Path(stack.env()["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]).read_text().strip()


def connect(stack: Stack, authority: Authority, client: Pair | None) -> StompClient:
    context = ssl.create_default_context(cafile=authority.certificate)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    address = urlsplit(stack.tls_address())
    plain = socket.create_connection((address.hostname or "", address.port or 0), timeout=30)
    return StompClient(context.wrap_socket(plain, server_hostname=address.hostname))


def test_a_client_whose_certificate_the_authority_signed_is_let_in(secured: Stack, authority: Authority) -> None:
    with connect(secured, authority, authority.pair("client")) as client:
        client.connect("transferscope", password_of(secured))
        client.send("/queue/over.tls", b"hello")
        client.subscribe("/queue/over.tls")
        assert client.receive() == b"hello"


def test_a_client_without_certificate_is_not(secured: Stack, authority: Authority) -> None:
    # TLS 1.3 tells the client of it only when it reads.
    with pytest.raises((ssl.SSLError, ConnectionError)), connect(secured, authority, None) as client:
        client.connect("transferscope", password_of(secured))


def test_a_client_of_another_authority_is_not(secured: Stack, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Another Authority").pair("client")
    with pytest.raises((ssl.SSLError, ConnectionError)), connect(secured, authority, stranger) as client:
        client.connect("transferscope", password_of(secured))


def test_a_stack_without_key_store_has_no_tls_address(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack, pytest.raises(StackError, match="made without TLS"):
        stack.tls_address()
