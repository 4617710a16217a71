"""Kafka through TLS with a password: every client gets in, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.kafka import admin, groups
from consumers.kafka.access import KafkaAccess, KafkaAway, Login
from consumers.kafka.producer import Producer, Record
from pipeline.devstack.errors import StackError
from pipeline.devstack.plan import KAFKA, KAFKA_USER, POSTGRES, BrokerTls
from pipeline.devstack.stack import Stack
from tests.support.certificates import PASSWORD, Authority

pytestmark = pytest.mark.stack


class Secured:
    """A Kafka whose certificate is for 127.0.0.1."""

    def __init__(self, folder: Path, authority: Authority, stack: Stack) -> None:
        self.address = stack.kafka_tls_address()
        self.plain = stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
        login = Login(KAFKA_USER, folder / "password")
        self.access = KafkaAccess((self.address,), authority.certificate, login=login)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("kafka-tls")
    (folder / "password").write_bytes(PASSWORD)
    authority = Authority(folder)
    tls = BrokerTls(authority.key_store("kafka", "127.0.0.1"), folder / "password")
    with Stack.up(folder / "stack", {KAFKA}, tls=tls) as stack:
        yield Secured(folder, authority, stack)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_all_clients_get_in(secured: Secured, mechanism: str) -> None:
    login = secured.access.login
    assert login is not None
    access = secured.access._replace(login=login._replace(mechanism=mechanism))
    admin.ensure_topics(access, 1)
    producer = Producer(access, lambda record: record)
    assert producer.partitions(["fts.transfer"]) == {"fts.transfer": 1}
    assert producer.deliver([Record("fts.transfer", 0, "key", b"body", [])], lambda: True)
    producer.abandon()
    (offsets,) = groups.lag(access, "nobody", ["fts.transfer"]).values()
    assert offsets.lag >= 1


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_a_wrong_password_is_refused(secured: Secured, tmp_path: Path, mechanism: str) -> None:
    (tmp_path / "wrong").write_text("wrong")
    access = secured.access._replace(login=Login(KAFKA_USER, tmp_path / "wrong", mechanism))
    with pytest.raises(KafkaAway, match="correct kafka_user, kafka_password_file or kafka_mechanism"):
        admin.check(access)


def test_another_authority_is_refused(secured: Secured, tmp_path: Path) -> None:
    other = Authority(tmp_path, "Other Authority")
    with pytest.raises(KafkaAway, match="put its authority into kafka_ca_file"):
        admin.check(secured.access._replace(ca_file=other.certificate))


def test_a_name_that_the_certificate_lacks_is_refused(secured: Secured) -> None:
    port = secured.address.rpartition(":")[2]
    with pytest.raises(KafkaAway, match="name it in kafka_bootstrap as its certificate does, not as localhost"):
        admin.check(secured.access._replace(servers=(f"localhost:{port}",)))


def test_the_port_without_tls_is_not_talked_to(secured: Secured) -> None:
    with pytest.raises(KafkaAway, match="TLS port"):
        admin.check(secured.access._replace(servers=(secured.plain,)))


def test_a_stack_without_key_store_has_no_tls_address(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack, pytest.raises(StackError, match="made without TLS"):
        stack.kafka_tls_address()
