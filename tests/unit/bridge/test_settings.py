"""What may be said of a broker, and what it comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from consumers.bridge.settings import BrokerSettings
from schemas.topics import FTS_START


def test_a_queue_is_the_virtual_one_of_the_consumer() -> None:
    broker = BrokerSettings("stomp://mb.example.org:61613", consumer="dashb")
    assert broker.destination("transfer.x") == "/queue/Consumer.dashb.transfer.x"
    assert BrokerSettings(broker.url, mode="topic").destination("transfer.x") == "/topic/transfer.x"


def test_only_the_encrypted_scheme_gives_tls_and_it_is_checked_against_the_name() -> None:
    (plain,) = BrokerSettings("stomp://localhost:61613").endpoints()
    (encrypted,) = BrokerSettings("stomp+ssl://localhost:61614", ca_file=Path("ca.pem")).endpoints()
    assert plain.tls is None
    assert encrypted.tls is not None
    assert encrypted.tls.ca_file == Path("ca.pem")
    assert (encrypted.host, encrypted.address, encrypted.port) == ("localhost", "127.0.0.1", 61614)


def test_the_password_is_read_when_it_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "password"
    login = BrokerSettings("stomp://h:1", user="u", password_file=file).login
    file.write_text("first\n")
    assert login.password() == "first"
    file.write_text("second\n")
    assert login.password() == "second"


def test_a_password_never_shows(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hush")
    broker = BrokerSettings("stomp://h:1", user="u", password_file=file)
    assert "hush" not in f"{broker!r} {broker.login!r}"


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"url": "tcp://h:1"}, "must be stomp://"),
        ({"url": "stomp://h"}, "must be stomp://"),
        ({"mode": "both"}, "it must be queue or topic"),
        ({"topics": {}}, "nothing would be subscribed"),
        ({"consumer": "a.b"}, "a word without a dot"),
        ({"consumer": ""}, "a word without a dot"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_a_sentence(wrong: dict[str, Any], what: str) -> None:
    given = {"url": "stomp://h:1", "topics": {"t": FTS_START}, **wrong}
    with pytest.raises(ValueError, match=what):
        BrokerSettings(**given)
