"""``[[broker]]``: what the configuration file says of each broker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.cli import values
from pipeline.cli.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class BrokerTable:
    """A table as it was written; None is left to the ``stomp_…`` settings. ``topics``: broker topic -> kind."""

    url: str
    user: str | None = None
    password_file: Path | None = None
    consumer: str | None = None
    topics: Mapping[str, str] | None = None
    mode: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


_PARSERS: dict[str, Callable[[object], Any]] = {
    "url": values.stomp_url,
    "user": values.text,
    "password_file": values.file,
    "consumer": values.word,
    "topics": values.topics,
    "mode": values.one_of("queue", "topic"),
    "ca_file": values.file,
    "cert_file": values.file,
    "key_file": values.file,
}
assert set(_PARSERS) == {field.name for field in fields(BrokerTable)}


def parse(raw: object, path: Path) -> tuple[BrokerTable, ...]:
    """The tables of a file; relative paths start at its folder. Raises ConfigurationError."""
    if not isinstance(raw, list) or not all(isinstance(table, dict) for table in raw):
        raise ConfigurationError(f"{path}: brokers are tables: write [[broker]] above each one's url")
    return tuple(_table(table, f"[[broker]] {number} in {path}", path.parent) for number, table in enumerate(raw, 1))


def _table(raw: dict[str, Any], where: str, folder: Path) -> BrokerTable:
    if "url" not in raw:
        raise ConfigurationError(f'{where} has no url: add url = "stomp+ssl://host:port"')
    found = {}
    for name, value in raw.items():
        if name not in _PARSERS:
            raise ConfigurationError(f"{where}: {values.unknown('name', name, _PARSERS)}")
        found[name] = values.parsed(_PARSERS[name], value, f"{name} of {where}", folder)
    return BrokerTable(**found)
