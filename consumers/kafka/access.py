"""Where Kafka is and how to get in."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, NamedTuple

_ANSWER_MS = 10_000
"""A broker that does not answer in this time gets a new connection. The client's own minute is how long workers and
bridges would stand still when a connection ends for the broker alone."""

MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""Ways to log in with a password, which all our clients know."""


class Login(NamedTuple):
    """A user whose password stands in a file. It is read when a connection is made, so that it may change.

    Only over TLS: PLAIN sends it as it is, and after SCRAM nobody knows who answers.
    """

    user: str
    password_file: Path
    mechanism: str = MECHANISMS[0]

    def password(self) -> str:
        """What stands in the file. Raises OSError."""
        return self.password_file.read_text(encoding="utf-8").strip()


class KafkaAccess(NamedTuple):
    """``servers`` as host:port. ``ca_file`` turns TLS on; ``cert_file`` and ``key_file`` are the client's own, and
    ``login`` is for brokers that ask for a password."""

    servers: tuple[str, ...]
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    login: Login | None = None

    @property
    def address(self) -> str:
        """The servers for people."""
        return ",".join(self.servers)

    def ssl_context(self) -> ssl.SSLContext | None:
        """What TLS needs, None without it. Raises OSError when a file cannot be read or is no certificate or key."""
        if self.ca_file is None:
            return None
        context = ssl.create_default_context(cafile=str(self.ca_file))
        if self.cert_file is not None:
            context.load_cert_chain(str(self.cert_file), None if self.key_file is None else str(self.key_file))
        return context

    def protocol(self) -> str:
        """Kafka's name of how to talk to it. Raises ValueError for a login without TLS."""
        if self.login is not None and self.ca_file is None:
            raise ValueError("a password is never sent without TLS: set kafka_ca_file beside kafka_user")
        return ("PLAINTEXT", "SSL", "SASL_SSL")[(self.ca_file is not None) + (self.login is not None)]

    def kafka_python(self) -> dict[str, Any]:
        """How to get in, for kafka-python. Raises OSError, ValueError."""
        settings = {"security_protocol": self.protocol(), "ssl_context": self.ssl_context()}
        if self.login is not None:
            settings |= {
                "sasl_mechanism": self.login.mechanism,
                "sasl_plain_username": self.login.user,
                "sasl_plain_password": self.login.password(),
            }
        return settings

    def librdkafka(self) -> dict[str, Any]:
        """The same, and where, for confluent-kafka. Raises OSError, ValueError."""
        settings: dict[str, Any] = {"bootstrap.servers": self.address, "socket.timeout.ms": _ANSWER_MS}
        protocol = self.protocol().lower()
        if self.ca_file is not None:
            settings |= {"security.protocol": protocol, "ssl.ca.location": str(self.ca_file)}
        if self.login is not None:
            settings |= {
                "sasl.mechanism": self.login.mechanism,
                "sasl.username": self.login.user,
                "sasl.password": self.login.password(),
            }
        if self.cert_file is not None:
            key_file = self.key_file or self.cert_file
            settings |= {"ssl.certificate.location": str(self.cert_file), "ssl.key.location": str(key_file)}
        return settings


class KafkaAway(Exception):
    """Kafka does not answer or refuses; ``why`` is the client's own reason."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"Kafka at {address} cannot be reached: {why}")
        self.address = address
        self.why = why


class NoTopic(Exception):
    """A topic that is needed is not there."""

    def __init__(self, topic: str, address: str) -> None:
        super().__init__(f"Kafka at {address} has no topic {topic}: say transferscope init")
        self.topic = topic
