"""What the bridge needs to know about a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from consumers.stomp.endpoint import Endpoint, Login, Tls, addresses
from schemas.topics import BROKER_TOPICS

PLAIN = "stomp"
ENCRYPTED = "stomp+ssl"
QUEUE = "queue"
TOPIC = "topic"


@dataclass(frozen=True)
class BrokerSettings:
    """A broker name with all addresses behind it.

    ``consumer`` is the NAME in ``Consumer.NAME.topic``; ``topics`` maps each broker topic that is to be subscribed to
    the kind of its messages (a key of ``schemas.topics.KINDS``). ``mode`` "topic" leaves no virtual queue behind, so
    what comes while nobody is connected is not kept. Raises ValueError for a value that cannot be meant.
    """

    url: str
    user: str | None = None
    password_file: Path | None = None
    consumer: str = "transferscope"
    topics: Mapping[str, str] = field(default_factory=lambda: dict(BROKER_TOPICS))
    mode: str = QUEUE
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in (PLAIN, ENCRYPTED) or not parts.hostname or not parts.port:
            raise ValueError(f"the broker {self.url} must be stomp://host:port or stomp+ssl://host:port")
        if self.mode not in (QUEUE, TOPIC):
            raise ValueError(f"the mode of {self.url} is {self.mode}: it must be {QUEUE} or {TOPIC}")
        if not self.topics:
            raise ValueError(f"no topics are listed for {self.url}: nothing would be subscribed")
        if self.mode == QUEUE and (not self.consumer or "." in self.consumer):
            raise ValueError(f"the consumer of {self.url} is {self.consumer!r}: it must be a word without a dot")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def login(self) -> Login:
        return Login(self.user, self._password)

    def _password(self) -> str | None:
        return self.password_file.read_text(encoding="utf-8").strip() if self.password_file else None

    def destination(self, topic: str) -> str:
        """The STOMP destination to subscribe to for a broker topic."""
        return f"/queue/Consumer.{self.consumer}.{topic}" if self.mode == QUEUE else f"/topic/{topic}"

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every address behind the name, resolved now. Raises Unreachable."""
        encrypted = urlsplit(self.url).scheme == ENCRYPTED
        tls = Tls(self.ca_file, self.cert_file, self.key_file) if encrypted else None
        found = addresses(self.host, self.port)
        return tuple(Endpoint(self.host, address, self.port, tls) for address in found)
