"""TLS to a broker: who is trusted, who is not, and that the traffic flows."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from consumers.errors import Unreachable
from consumers.stomp.endpoint import Endpoint, Login, Tls
from consumers.stomp.frames import Delivery
from consumers.stomp.session import NoMessages, Session
from pipeline.devstack.plan import ACTIVEMQ, BrokerTls
from pipeline.devstack.stack import Stack
from tests.support.certificates import PASSWORD, Authority, Pair
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

HOST = "broker.example.org"


class Inbox:
    def __init__(self) -> None:
        self.messages: list[Delivery] = []
        self.room = threading.Event()
        self.room.set()

    def put(self, messages: list[Delivery]) -> None:
        self.messages += messages

    def wait_for_room(self, timeout_s: float) -> bool:
        return self.room.wait(timeout_s)

    def wait(self, count: int) -> None:
        eventually(lambda: len(self.messages) >= count)


class Broker:
    """A broker whose certificate is for HOST and which asks its clients for theirs."""

    def __init__(self, folder: Path, authority: Authority, stack: Stack) -> None:
        self.authority = authority
        self.client = authority.pair("bridge")
        address = urlsplit(stack.tls_address())
        self.address, self.port = address.hostname or "", address.port or 0
        password = Path(stack.env()["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]).read_text().strip()
        self.login = Login(stack.env()["TRANSFERSCOPE_STOMP_USER"], lambda: password)

    def open(self, receiver: Inbox | None = None, host: str = HOST, tls: Tls | None = None) -> Session:
        tls = tls or self.tls()
        return Session.open(Endpoint(host, self.address, self.port, tls), self.login, receiver or NoMessages())

    def tls(self, client: Pair | None = None) -> Tls:
        pair = client or self.client
        return Tls(self.authority.certificate, pair.certificate, pair.key)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "password").write_bytes(PASSWORD)
    authority = Authority(folder)
    tls = BrokerTls(authority.key_store("broker", HOST), folder / "password", authority.trust_store())
    with Stack.up(folder / "stack", {ACTIVEMQ}, tls=tls) as stack:
        yield Broker(folder, authority, stack)


def test_messages_flow_both_ways_through_tls(broker: Broker) -> None:
    bodies = [b"%d" % number + b"\xff\0" * 1000 for number in range(3000)]
    inbox = Inbox()
    session = broker.open(inbox)
    session.subscribe("0", "/queue/tls.flow", 1000)
    sender = broker.open()
    for body in bodies:
        sender.send("/queue/tls.flow", body, {"persistent": "true"})
    for enough in range(500, len(bodies) + 1, 500):
        inbox.wait(enough)
        session.ack(inbox.messages[enough - 1].headers["ack"].decode())
    assert [message.body for message in inbox.messages] == bodies
    assert sender.close(10)
    assert session.close(10)


def test_a_reader_without_room_still_writes_its_acks(broker: Broker) -> None:
    inbox = Inbox()
    session = broker.open(inbox)
    session.subscribe("0", "/queue/tls.room", 10)
    session.send("/queue/tls.room", b"1", {"persistent": "true"})
    eventually(lambda: inbox.messages)
    inbox.room.clear()
    session.ack(inbox.messages[0].headers["ack"].decode())
    other = broker.open()
    other.send("/queue/tls.room", b"2", {"persistent": "true"}, receipt="sent")
    assert other.wait_receipt("sent", 10)
    assert other.close(10)
    assert len(inbox.messages) == 1, "nothing is read without room"
    inbox.room.set()
    eventually(lambda: len(inbox.messages) == 2)
    session.ack(inbox.messages[1].headers["ack"].decode())
    assert session.close(10)


def test_a_certificate_for_another_host_is_refused(broker: Broker) -> None:
    with pytest.raises(Unreachable, match=r"certificate is refused: .*other\.example\.org"):
        broker.open(host="other.example.org")


def test_a_certificate_of_an_unknown_authority_is_refused(broker: Broker, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Somebody Else")
    tls = Tls(stranger.certificate, broker.client.certificate, broker.client.key)
    with pytest.raises(Unreachable, match=r"certificate is refused: .*ca_file"):
        broker.open(tls=tls)


def test_a_client_without_a_certificate_is_told_so(broker: Broker) -> None:
    with pytest.raises(Unreachable, match="if it asks its clients for a certificate, set cert_file"):
        broker.open(tls=Tls(broker.authority.certificate))


def test_a_file_that_is_not_there_is_named(broker: Broker, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        broker.open(tls=Tls(tmp_path / "none.pem"))


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    expired = self_signed(tmp_path, datetime.timedelta(days=-1))
    with tls_server(expired) as port:
        endpoint = Endpoint(HOST, "127.0.0.1", port, Tls(expired.certificate))
        with pytest.raises(Unreachable, match="certificate is refused: certificate has expired"):
            Session.open(endpoint, Login(), NoMessages())


def test_a_broker_that_speaks_no_tls_is_refused(broker: Broker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        answering = threading.Thread(target=answer_in_clear_text, args=(plain,))
        answering.start()
        endpoint = Endpoint(HOST, "127.0.0.1", plain.getsockname()[1], broker.tls())
        with pytest.raises(Unreachable, match="TLS failed"):
            Session.open(endpoint, broker.login, NoMessages())
        answering.join()


def test_a_broker_that_hangs_up_is_noticed_at_once(tmp_path: Path) -> None:
    pair = self_signed(tmp_path, datetime.timedelta(days=1))
    may_hang_up = threading.Event()
    with tls_server(pair, may_hang_up) as port:
        session = Session.open(Endpoint(HOST, "127.0.0.1", port, Tls(pair.certificate)), Login(), NoMessages())
        may_hang_up.set()
        eventually(lambda: session.lost, within_s=5)
        assert not session.close(1)


def answer_in_clear_text(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"CONNECTED\nversion:1.2\n\n\0")


@contextmanager
def tls_server(pair: Pair, may_hang_up: threading.Event | None = None) -> Iterator[int]:
    """Shakes hands once, or tries to; lets the client in and hangs up when it may."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1000)
                    secured.sendall(b"CONNECTED\nversion:1.2\n\n\0")
                    assert may_hang_up is not None
                    may_hang_up.wait(10)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()[1]
        serving.join()


def self_signed(folder: Path, life: datetime.timedelta) -> Pair:
    """A certificate for HOST that ends ``life`` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(folder / "expired.pem", folder / "expired.key")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair
