"""How to get into Kafka, as each client wants to be told; and what a failed handshake says."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from consumers.kafka.access import MECHANISMS, KafkaAccess, Login
from consumers.kafka.tls import shake_hands
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.kafka import kafka_access
from pipeline.cli.settings import load
from tests.support.certificates import Authority
from tests.support.web import web


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def login(tmp_path: Path) -> Login:
    file = tmp_path / "password"
    file.write_text("s p ä\n", encoding="utf-8")
    return Login("me", file)


def test_what_each_client_is_told(authority: Authority, login: Login) -> None:
    plain = KafkaAccess(("a:1", "b:2"))
    assert plain.librdkafka() == {"bootstrap.servers": "a:1,b:2", "socket.timeout.ms": 10_000}
    assert plain.kafka_python() == {"security_protocol": "PLAINTEXT", "ssl_context": None}
    pair = authority.pair("client")
    tls = plain._replace(ca_file=authority.certificate, cert_file=pair.certificate, key_file=pair.key)
    assert tls.librdkafka()["security.protocol"] == "ssl"
    assert tls.kafka_python()["security_protocol"] == "SSL"
    for mechanism in MECHANISMS:
        both = tls._replace(login=login._replace(mechanism=mechanism))
        told = both.librdkafka()
        assert (told["security.protocol"], told["sasl.mechanism"]) == ("sasl_ssl", mechanism)
        assert (told["sasl.username"], told["sasl.password"]) == ("me", "s p ä")
        assert told["ssl.certificate.location"] == str(pair.certificate)
        other = both.kafka_python()
        assert (other["security_protocol"], other["sasl_mechanism"]) == ("SASL_SSL", mechanism)
        assert (other["sasl_plain_username"], other["sasl_plain_password"]) == ("me", "s p ä")
        assert other["ssl_context"].verify_mode is ssl.CERT_REQUIRED
        assert other["ssl_context"].check_hostname


def test_no_password_goes_without_tls(login: Login) -> None:
    access = KafkaAccess(("a:1",), login=login)
    for told in (access.librdkafka, access.kafka_python):
        with pytest.raises(ValueError, match="never sent without TLS: set kafka_ca_file"):
            told()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, "never sent without TLS"),
        ({"KAFKA_PASSWORD_FILE": "/none/here"}, "kafka_password_file, /none/here, cannot be read"),
        ({"KAFKA_PASSWORD_FILE": ""}, "kafka_password_file is not set"),
        ({"KAFKA_MECHANISM": "GSSAPI"}, "SCRAM-SHA-512 or SCRAM-SHA-256 or PLAIN"),
    ],
)
def test_settings_that_cannot_work_are_told(login: Login, more: dict[str, str], sentence: str) -> None:
    given = {"KAFKA_BOOTSTRAP": "a:1", "KAFKA_USER": "me", "KAFKA_PASSWORD_FILE": str(login.password_file), **more}
    with pytest.raises(ConfigurationError, match=sentence):
        kafka_access(load(None, {f"TRANSFERSCOPE_{name}": value for name, value in given.items()}))


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """A server that answers with these bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=60)


def refusal(server: str, access: KafkaAccess) -> str:
    with pytest.raises(ssl.SSLError) as refused:
        shake_hands(server, access, 30)
    return str(refused.value.args[0])


def test_certificates_that_do_not_fit_are_refused_with_what_to_do(authority: Authority, tmp_path: Path) -> None:
    access = KafkaAccess((), ca_file=authority.certificate)
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "Stranger").pair("kafka", "127.0.0.1")
    for pair, sentence in (
        (authority.pair("kafka", "kafka.example.org"), "name it in kafka_bootstrap as its certificate does"),
        (authority.pair("old", "127.0.0.1", is_over=True), "certificate has expired: have it renewed"),
        (stranger, "put its authority into kafka_ca_file"),
    ):
        with web(pair) as served:
            server = urlsplit(served.address).netloc
            said = refusal(server, access)
            assert said.startswith(f"the certificate of {server} is refused: ")
            assert sentence in said
    with web(authority.pair("good", "127.0.0.1")) as served:
        shake_hands(urlsplit(served.address).netloc, access, 30)


@pytest.mark.parametrize("answer", [b"\0\0\0\x0a\0\0\0\x07\0\0\0\0\0\0", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_server_without_tls_is_not_talked_to(authority: Authority, answer: bytes) -> None:
    with listening(answer) as server:
        said = refusal(server, KafkaAccess((), ca_file=authority.certificate))
    assert "TLS port" in said
    assert server in said


def test_nobody_there_is_no_fault_of_tls(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        shake_hands(f"127.0.0.1:{port}", KafkaAccess((), ca_file=authority.certificate), 5)
