"""What a worker must be told. The command resolves it from all settings; a bare ``faust`` from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from consumers.kafka.access import KafkaAccess
from schemas.topics import KINDS

GROUP = "transferscope-worker"
"""The consumer group that all workers share."""
TOPICS = tuple(sorted(set(KINDS.values())))
"""What they read."""
PREFIX = "TRANSFERSCOPE_"


class WorkerConfig(NamedTuple):
    """``health_port`` 0 lets the system choose one. ``user_hash_key_file``: the key that users are hashed with."""

    database_url: str
    kafka: KafkaAccess
    retention_days: int = 30
    health_host: str = "127.0.0.1"
    health_port: int = 0
    user_hash_key_file: Path | None = None


def from_environment(environment: Mapping[str, str]) -> WorkerConfig:
    """The settings that a worker needs, as ``TRANSFERSCOPE_…`` variables. Raises KeyError, ValueError."""

    def path(name: str) -> Path | None:
        value = environment.get(PREFIX + name)
        return Path(value) if value else None

    servers = tuple(part.strip() for part in environment[PREFIX + "KAFKA_BOOTSTRAP"].split(",") if part.strip())
    return WorkerConfig(
        environment[PREFIX + "DATABASE_URL"],
        KafkaAccess(servers, path("KAFKA_CA_FILE"), path("KAFKA_CERT_FILE"), path("KAFKA_KEY_FILE")),
        int(environment.get(PREFIX + "RETENTION_DAYS") or WorkerConfig._field_defaults["retention_days"]),
        user_hash_key_file=path("USER_HASH_KEY_FILE"),
    )
