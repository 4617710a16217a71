"""The three services do for clients what the product needs of them."""

from __future__ import annotations

import base64
import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg2
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from pipeline.devstack.plan import ACTIVEMQ, KAFKA
from pipeline.devstack.services.kafka import BODY_LIMIT_BYTES
from pipeline.devstack.stack import Stack
from tests.support.stomp_client import StompClient

pytestmark = pytest.mark.stack


@contextmanager
def stomp(stack: Stack) -> Iterator[StompClient]:
    environment = stack.env()
    address = urlsplit(environment["TRANSFERSCOPE_STOMP_BROKERS"])
    password = Path(environment["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]).read_text().strip()
    with StompClient(socket.create_connection((address.hostname or "", address.port or 0), timeout=30)) as client:
        client.connect(environment["TRANSFERSCOPE_STOMP_USER"], password)
        yield client


def jolokia(stack: Stack, path: str, password: str | None = None) -> Any:
    environment = stack.env()
    password = password or Path(environment["TRANSFERSCOPE_BROKER_API_PASSWORD_FILE"]).read_text().strip()
    credentials = base64.b64encode(f"{environment['TRANSFERSCOPE_BROKER_API_USER']}:{password}".encode()).decode()
    request = Request(environment["TRANSFERSCOPE_BROKER_API"] + path, headers={"Authorization": f"Basic {credentials}"})
    with urlopen(request, timeout=30) as reply:
        return json.load(reply)["value"]


@contextmanager
def kafka_topic(stack: Stack) -> Iterator[tuple[str, str]]:
    bootstrap = stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
    name = f"test-{uuid.uuid4().hex}"
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    yield bootstrap, name


def publish(bootstrap: str, topic: str, body: bytes) -> None:
    with closing(KafkaProducer(bootstrap_servers=bootstrap, max_request_size=2 * BODY_LIMIT_BYTES)) as producer:
        producer.send(topic, body, headers=[("kind", b"fts.start")]).get(30)


def only_body(bootstrap: str, topic: str) -> bytes:
    with closing(
        KafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=30_000)
    ) as consumer:
        return bytes(next(consumer).value)


def test_postgres_commits_durably_and_has_room_for_many_partitions(stack: Stack) -> None:
    with closing(psycopg2.connect(stack.env()["TRANSFERSCOPE_DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        found = {}
        for name in ("synchronous_commit", "fsync", "jit", "max_locks_per_transaction", "TimeZone"):
            cursor.execute(f"SHOW {name}")
            found[name] = (cursor.fetchone() or ("",))[0]
    expected = {"synchronous_commit": "on", "fsync": "on", "jit": "off", "TimeZone": "UTC"}
    assert found == {**expected, "max_locks_per_transaction": "256"}


def test_postgres_lets_nobody_in_without_the_password(stack: Stack) -> None:
    url = urlsplit(stack.env()["TRANSFERSCOPE_DATABASE_URL"])._replace(query="passfile=/nonexistent").geturl()
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(url)


def test_kafka_takes_and_gives_back_a_body_of_16_mib(stack: Stack) -> None:
    with kafka_topic(stack) as (bootstrap, topic):
        body = b"x" * BODY_LIMIT_BYTES
        publish(bootstrap, topic, body)
        assert only_body(bootstrap, topic) == body


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_kafka_keeps_its_messages_over_a(how: str, stack: Stack) -> None:
    with kafka_topic(stack) as (bootstrap, topic):
        publish(bootstrap, topic, b"kept")
        if how == "kill":
            stack.kill(KAFKA)
            stack.start(KAFKA)
        else:
            stack.restart(KAFKA)
        assert only_body(bootstrap, topic) == b"kept"


def test_every_consumer_of_a_virtual_topic_has_a_queue_with_all_of_it(stack: Stack) -> None:
    topic = f"transfer.{uuid.uuid4().hex}"
    with stomp(stack) as one, stomp(stack) as two, stomp(stack) as publisher:
        one.subscribe(f"/queue/Consumer.one.{topic}")
        two.subscribe(f"/queue/Consumer.two.{topic}")
        publisher.send(f"/topic/{topic}", b"hello")
        assert one.receive() == two.receive() == b"hello"


def test_activemq_takes_a_frame_of_20_mb(stack: Stack) -> None:
    queue = f"/queue/test.{uuid.uuid4().hex}"
    body = b"y" * 20_000_000
    with stomp(stack) as client:
        client.send(queue, body)
        client.subscribe(queue)
        assert client.receive() == body


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_activemq_keeps_its_queues_over_a(how: str, stack: Stack) -> None:
    queue = f"/queue/test.{uuid.uuid4().hex}"
    with stomp(stack) as client:
        client.send(queue, b"kept")
    if how == "kill":
        stack.kill(ACTIVEMQ)
        stack.start(ACTIVEMQ)
    else:
        stack.restart(ACTIVEMQ)
    with stomp(stack) as client:
        client.subscribe(queue)
        assert client.receive() == b"kept"


def test_jolokia_tells_the_depth_of_a_queue_to_those_who_know_the_password(stack: Stack) -> None:
    queue = f"test.{uuid.uuid4().hex}"
    with stomp(stack) as client:
        for _ in range(3):
            client.send(f"/queue/{queue}", b"waiting")
    bean = f"org.apache.activemq:type=Broker,brokerName=local,destinationType=Queue,destinationName={queue}"
    assert jolokia(stack, f"/read/{bean}/QueueSize") == 3
    with pytest.raises(OSError, match="401"):
        jolokia(stack, "/version", password="wrong")


def test_the_statistics_plugin_answers_over_stomp(stack: Stack) -> None:
    reply_to = f"/queue/test.{uuid.uuid4().hex}"
    with stomp(stack) as client:
        client.subscribe(reply_to, transformation="jms-map-json")
        client.send("/queue/ActiveMQ.Statistics.Broker", b"", reply_to=reply_to)
        statistics = client.receive()
    assert "local" in json.dumps(json.loads(statistics))


def test_activemq_refuses_a_wrong_password(stack: Stack) -> None:
    address = urlsplit(stack.env()["TRANSFERSCOPE_STOMP_BROKERS"])
    with (
        StompClient(socket.create_connection((address.hostname or "", address.port or 0), timeout=30)) as client,
        pytest.raises(ConnectionError, match="ERROR"),
    ):
        client.connect("transferscope", "wrong")
