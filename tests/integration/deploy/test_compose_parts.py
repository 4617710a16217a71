"""What the Compose file gives to the broker, tried on the same program."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.activemq import PASSWORD, activemq
from tests.support.stomp_client import StompClient


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    with activemq(tmp_path) as port:
        yield port


@pytest.mark.stack
def test_the_broker_lets_the_user_in_and_has_virtual_queues(broker: int) -> None:
    with client(broker) as reader, client(broker) as writer, client(broker) as asking:
        reader.connect("transferscope", PASSWORD)
        reader.subscribe("/queue/Consumer.transferscope.transfer.fts_monitoring_start")
        writer.connect("transferscope", PASSWORD)
        writer.send("/topic/transfer.fts_monitoring_start", b"{}")
        assert reader.receive() == b"{}"
        asking.connect("transferscope", PASSWORD)
        asking.subscribe("/queue/answers")
        writer.send("/queue/ActiveMQ.Statistics.Broker", b"", reply_to="/queue/answers")
        assert b"transferscope" in asking.receive()


@pytest.mark.stack
def test_the_broker_keeps_strangers_out(broker: int) -> None:
    with client(broker) as stranger, pytest.raises(ConnectionError):
        stranger.connect("transferscope", "wrong-horse")
    with client(broker) as guest, pytest.raises(ConnectionError):
        guest.connect("", "")


def client(port: int) -> StompClient:
    return StompClient(socket.create_connection(("127.0.0.1", port), 30))
