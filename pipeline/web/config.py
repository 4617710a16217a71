"""What the web process is told; ``pipeline.cli`` reads it from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.stages.alert_rules import Limits

_USUAL = Limits()


@dataclass(frozen=True)
class Thresholds:
    """Where efficiency classes begin (0 to 1), and from how many finished transfers on a class says something.

    Cells, legend and help are made from the one instance in ``WebConfig``.
    """

    good: float = 0.95
    fair: float = 0.80
    poor: float = 0.50
    few: int = 10


@dataclass(frozen=True)
class Rate:
    """What one caller may do: so many requests at once, and so many a second for long."""

    per_s: float = 20.0
    burst: int = 240


@dataclass(frozen=True)
class Oidc:
    """The issuer whose tokens are taken: its https address as in ``iss``, the values of ``aud`` that mean us, and which
    ``wlcg.groups`` have which role. ``ca_file``: authorities that sign its certificate, None for the system's."""

    issuer: str
    audience: tuple[str, ...]
    readers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    administrators: tuple[str, ...] = ()
    ca_file: Path | None = None


@dataclass(frozen=True)
class Tls:
    """The server's certificate, with those between it and its authority, and its key: PEM files."""

    cert_file: Path
    key_file: Path


@dataclass(frozen=True)
class WebConfig:
    """``stale_s``: a source whose newest event is older is named on every page.

    ``backlog_limit``: a queue in which more messages wait is behind. ``limits`` are those of the rules of alerts.
    ``address`` is the one that others reach it at, known once it listens.
    """

    database_url: str
    host: str = "127.0.0.1"
    port: int = 0
    connections: int = 4
    timeout_s: float = 10.0
    stale_s: int = 1200
    oidc: Oidc | None = None
    tls: Tls | None = None
    backlog_limit: int = 5000
    limits: Limits = _USUAL
    thresholds: Thresholds = Thresholds()
    address: str = ""
    rate: Rate = Rate()
    traces_endpoint: str | None = None
