"""Where Kafka is and how to get in."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, NamedTuple


class KafkaAccess(NamedTuple):
    """``servers`` as host:port. ``ca_file`` turns TLS on; ``cert_file`` and ``key_file`` are the client's own."""

    servers: tuple[str, ...]
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

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

    def librdkafka(self) -> dict[str, Any]:
        """The same for confluent-kafka."""
        settings: dict[str, Any] = {"bootstrap.servers": self.address}
        if self.ca_file is not None:
            settings |= {"security.protocol": "ssl", "ssl.ca.location": str(self.ca_file)}
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
