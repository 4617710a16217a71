"""What many runs share: a local stack with two brokers, a proxy before each service, a migrated database to copy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import ACTIVEMQ
from pipeline.devstack.stack import Stack
from tests.chaos.disk import SPACE, Disk, mounted
from tests.support import postgres
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.tcp_proxy import Proxy, kafka_frames

DATABASE_URL = "TRANSFERSCOPE_DATABASE_URL"
BOOTSTRAP = "TRANSFERSCOPE_KAFKA_BOOTSTRAP"
BROKERS = "TRANSFERSCOPE_STOMP_BROKERS"
BROKER_API = "TRANSFERSCOPE_BROKER_API"


class Broker(NamedTuple):
    """An ActiveMQ: the stack that it belongs to, the settings that name it alone, the proxy before it."""

    stack: Stack
    settings: Mapping[str, str]
    proxy: Proxy


class Site(NamedTuple):
    """``settings`` name the services themselves, both brokers among them; processes under test get ``behind``.

    ``disk`` is where the tables of ``template_url`` and of its copies are; None where none can be mounted.
    """

    stack: Stack
    brokers: tuple[Broker, Broker]
    postgres: Proxy
    kafka: Proxy
    settings: Mapping[str, str]
    template_url: str
    disk: Disk | None

    def behind(self, database_url: str) -> dict[str, str]:
        """The settings that lead through the proxies, for a database of the server."""
        parts = urlsplit(database_url)
        return {
            DATABASE_URL: parts._replace(netloc=f"{parts.username}@{self.postgres.address}").geturl(),
            BOOTSTRAP: self.kafka.address,
            BROKERS: ",".join(f"stomp://{broker.proxy.address}" for broker in self.brokers),
        }


@contextmanager
def opened(folder: Path) -> Iterator[Site]:
    """A new site in the folder, which must be empty."""
    # Kafka and ActiveMQ live for minutes: the quick compiler alone starts them sooner.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    with ExitStack() as started:
        stack = started.enter_context(Stack.up(folder / "stack"))
        second = started.enter_context(_second_broker(folder))
        settings = stack.env()
        both = [settings, settings | second.env()]
        settings = settings | {name: ",".join(one[name] for one in both) for name in (BROKERS, BROKER_API)}
        postgres_proxy = started.enter_context(Proxy(_port(settings[DATABASE_URL])))
        kafka_port = _port(settings[BOOTSTRAP])
        kafka_proxy = started.enter_context(Proxy(kafka_port, lambda own: kafka_frames(kafka_port, own)))
        brokers = [
            Broker(its_stack, one, started.enter_context(Proxy(_port(one[BROKERS]))))
            for its_stack, one in zip((stack, second), both, strict=True)
        ]
        disk = started.enter_context(_disk(settings[DATABASE_URL]))
        template_url = started.enter_context(postgres.template(settings[DATABASE_URL]))
        if disk is not None:
            _move(template_url, settings[DATABASE_URL])
        (folder / "init").mkdir()
        Commands(settings | {DATABASE_URL: template_url}, folder / "init")("init")
        yield Site(stack, (brokers[0], brokers[1]), postgres_proxy, kafka_proxy, settings, template_url, disk)


def _second_broker(folder: Path) -> Stack:
    """Another ActiveMQ that takes the same password: processes are told one file for all brokers' Jolokia."""
    first, second = Folder(folder / "stack"), Folder(folder / "second")
    second.make()
    (second.secrets / "activemq").write_bytes((first.secrets / "activemq").read_bytes())
    return Stack.up(folder / "second", {ACTIVEMQ})


@contextmanager
def _disk(server_url: str) -> Iterator[Disk | None]:
    with ExitStack() as opened_disk:
        try:
            disk = opened_disk.enter_context(mounted(server_url))
        except OSError:
            disk = None
        yield disk


def _move(template_url: str, server_url: str) -> None:
    """The template to the small disk; a copy of a database is where the original is."""
    with closing(Database(server_url)) as database:
        database.ask(f"ALTER DATABASE {urlsplit(template_url).path[1:]} SET TABLESPACE {SPACE}")


def _port(address: str) -> int:
    port = urlsplit(address if "//" in address else f"//{address}").port
    assert port is not None
    return port
