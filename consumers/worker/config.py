"""What a worker must be told. The command resolves it from all settings; a bare ``faust`` from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from consumers.kafka.access import MECHANISMS, KafkaAccess, Login
from pipeline.store.retention import Retention
from schemas.topics import KINDS

GROUP = "transferscope-worker"
"""The consumer group that all workers share."""
TOPICS = tuple(sorted(set(KINDS.values())))
"""What they read."""
PREFIX = "TRANSFERSCOPE_"


class WorkerConfig(NamedTuple):
    """``health_port`` 0 lets the system choose one. ``user_hash_key_file``: the key that users are hashed with.
    ``window_retention_days`` and ``hour_retention_days``: base and hourly windows."""

    database_url: str
    kafka: KafkaAccess
    retention_days: int = Retention().raw_days
    health_host: str = "127.0.0.1"
    health_port: int = 0
    user_hash_key_file: Path | None = None
    window_retention_days: int = Retention().base_days
    hour_retention_days: int = Retention().hourly_days
    traces_endpoint: str | None = None

    def kept(self) -> Retention:
        """How long rows are kept. Raises ValueError when windows would go before what they are made of."""
        kept = Retention(self.retention_days, self.window_retention_days, self.hour_retention_days)
        if not kept.is_ordered():
            raise ValueError("windows must be kept at least as long as what they are made of: " + str(kept))
        return kept


def from_environment(environment: Mapping[str, str]) -> WorkerConfig:
    """The settings that a worker needs, as ``TRANSFERSCOPE_…`` variables. Raises KeyError, ValueError."""

    def path(name: str) -> Path | None:
        value = environment.get(PREFIX + name)
        return Path(value) if value else None

    def days(name: str) -> int:
        return int(environment.get(PREFIX + name.upper()) or WorkerConfig._field_defaults[name])

    user, password_file = environment.get(PREFIX + "KAFKA_USER"), path("KAFKA_PASSWORD_FILE")
    mechanism = environment.get(PREFIX + "KAFKA_MECHANISM") or MECHANISMS[0]
    login = Login(user, password_file, mechanism) if user and password_file else None
    servers = tuple(part.strip() for part in environment[PREFIX + "KAFKA_BOOTSTRAP"].split(",") if part.strip())
    return WorkerConfig(
        environment[PREFIX + "DATABASE_URL"],
        KafkaAccess(servers, path("KAFKA_CA_FILE"), path("KAFKA_CERT_FILE"), path("KAFKA_KEY_FILE"), login),
        days("retention_days"),
        user_hash_key_file=path("USER_HASH_KEY_FILE"),
        window_retention_days=days("window_retention_days"),
        hour_retention_days=days("hour_retention_days"),
        traces_endpoint=environment.get(PREFIX + "TRACES_ENDPOINT") or None,
    )
