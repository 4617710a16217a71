"""What the Compose file gives to the images of others, tried on the same programs: broker, database."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from pipeline.store import migrations
from tests.support.activemq import COMPOSE, PASSWORD, activemq
from tests.support.programs import postgres_program
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


@pytest.mark.stack
def test_the_user_of_grafana_reads_aggregates_and_nothing_else(postgres_url: str, tmp_path: Path) -> None:
    migrations.upgrade(postgres_url)
    password = tmp_path / "password"
    for content in ("first's", "second's"):
        password.write_text(content)
        command = [postgres_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", postgres_url]
        command += [f"--file={COMPOSE / 'grafana-role.sql'}"]
        subprocess.run(command, env=os.environ | {"PASSWORD_FILE": str(password)}, check=True, timeout=60)
    address = urlsplit(postgres_url)
    host = address.netloc.rpartition("@")[2]
    theirs = address._replace(netloc=f"transferscope_grafana:second's@{host}", query="").geturl()
    with closing(psycopg2.connect(theirs)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM report.link_10m")
        assert cursor.fetchone() == (0,)
        for forbidden in ("SELECT * FROM report.transfer", "SELECT * FROM store.transfer", "CREATE TABLE t ()"):
            connection.rollback()
            with pytest.raises(psycopg2.Error):
                cursor.execute(forbidden)
