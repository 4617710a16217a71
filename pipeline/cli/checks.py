"""What ``doctor`` looks at: each check is one line, and none keeps the next from being made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from functools import partial
from importlib import import_module, metadata
from typing import NamedTuple

from consumers.bridge.depth import broker_version, queue_depths
from consumers.kafka import admin
from consumers.stomp.endpoint import Endpoint, Login
from consumers.stomp.session import NoMessages, Session
from pipeline.cli.brokers import api_password, brokers
from pipeline.cli.errors import UNREACHABLE
from pipeline.cli.kafka import kafka_access
from pipeline.cli.outcomes import outcome
from pipeline.cli.settings import Settings
from pipeline.store import programs
from pipeline.store.queries.health import server_version
from pipeline.store.session import connect
from schemas.topics import TOPICS

OWN_PACKAGES = ("schemas", "pipeline", "consumers")
_CLOSE_S = 2.0


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    LEFT_OUT = "left out"
    WRONG = "wrong"
    UNREACHABLE = "unreachable"


class Check(NamedTuple):
    """One line: what was looked at, how it is, and what there is to say."""

    what: str
    verdict: Verdict
    detail: str


def checks(settings: Settings) -> Iterator[Check]:
    """All checks, as they are made."""
    for package in OWN_PACKAGES:
        yield _package(package)
    yield from _tried("PostgreSQL", settings.database_url is not None, partial(_postgres, settings))
    yield from _tried("Kafka", settings.kafka_bootstrap is not None, partial(_kafka, settings))
    yield from _tried("ActiveMQ", bool(settings.stomp_brokers or settings.broker), partial(_activemq, settings))
    yield from _tried("Jolokia", settings.broker_api is not None, partial(_jolokia, settings))


def _tried(what: str, is_configured: bool, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    if not is_configured:
        yield Check(what, Verdict.LEFT_OUT, "not configured")
        return
    try:
        yield from look()
    except Exception as error:
        meant = outcome(error)
        if meant is None:
            raise
        yield Check(what, Verdict.UNREACHABLE if meant.exit_code == UNREACHABLE else Verdict.WRONG, meant.sentence)


def _package(name: str) -> Check:
    """Three generic names are safe only while one distribution owns each; another one's files would win silently."""
    module = import_module(name)
    place = module.__path__[0]
    # An editable install lists the packages of its folder only through its .pth file.
    owners = sorted(set(metadata.packages_distributions().get(name, ["transferscope"])))
    if owners != ["transferscope"]:
        return Check(
            f"package {name}",
            Verdict.WRONG,
            f"it belongs to {' and '.join(owners)}: install transferscope in a virtual environment of its own",
        )
    return Check(f"package {name}", Verdict.OK, f"transferscope {metadata.version('transferscope')} in {place}")


def _postgres(settings: Settings) -> Iterator[Check]:
    url = settings.need("database_url")
    with closing(connect(url)) as connection:
        yield Check("PostgreSQL", Verdict.OK, f"version {server_version(connection)}")
    fit = programs.fit(url)
    if fit.problem is not None:
        yield Check("tables", Verdict.WRONG, fit.problem)
    elif fit.is_newer:
        yield Check("tables", Verdict.OK, f"version {fit.version}, which a program of {fit.program} works with")
    else:
        yield Check("tables", Verdict.OK, f"version {fit.version}, current")


def _kafka(settings: Settings) -> Iterator[Check]:
    access = kafka_access(settings)
    yield Check("Kafka", Verdict.OK, f"version {admin.version(access)} at {access.address}")
    missing, drift = admin.inspect_topics(access, settings.partitions)
    for name in missing:
        yield Check(f"topic {name}", Verdict.WRONG, "it is not there: run transferscope init")
    for found in drift:
        detail = f"{found.name} is {found.found}, not {found.wanted}: change it in Kafka or, if meant, in the settings"
        yield Check(f"topic {found.topic}", Verdict.WRONG, detail)
    if not missing and not drift:
        yield Check("topics", Verdict.OK, f"{len(TOPICS)}, with {settings.partitions} partitions")


def _activemq(settings: Settings) -> Iterator[Check]:
    for broker in brokers(settings):
        for endpoint in broker.endpoints():
            yield from _tried("ActiveMQ", True, partial(_session, endpoint, broker.login))


def _session(endpoint: Endpoint, login: Login) -> Iterator[Check]:
    Session.open(endpoint, login, NoMessages()).close(_CLOSE_S)
    encrypted = "encrypted" if endpoint.tls else "not encrypted"
    yield Check("ActiveMQ", Verdict.OK, f"{endpoint} lets {login.user or 'anybody'} in, {encrypted}")


def _jolokia(settings: Settings) -> Iterator[Check]:
    password = api_password(settings)
    for url in settings.need("broker_api"):
        yield from _tried("Jolokia", True, partial(_api, url, settings.broker_api_user, password))


def _api(url: str, user: str | None, password: str | None) -> Iterator[Check]:
    version, queues = broker_version(url, user, password), queue_depths(url, user, password)
    yield Check("Jolokia", Verdict.OK, f"ActiveMQ version {version} at {url}, {len(queues)} queues")
