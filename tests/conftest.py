"""Fixtures that many tests share: real services, and a database of one's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from pipeline.devstack.plan import POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.devstack.state import ADOPTED
from tests.support.services import services

# How long an example takes says something about the machine, not about the law.
settings.register_profile(
    "transferscope", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("transferscope")

# Kafka and ActiveMQ start some dozen times and live for seconds: with the quick compiler alone that takes a third less
# of the processors. Set for all, since commands that tests run start them too.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server whose user may create databases; nobody stops or kills it."""
    from tests.support.postgres import make_short_lived  # not for unit tests: it imports the store

    with services(tmp_path_factory.mktemp("postgres"), os.environ, {POSTGRES}) as running:
        url = running.env()["TRANSFERSCOPE_DATABASE_URL"]
        if running.status().services[POSTGRES].state != ADOPTED:
            make_short_lived(url)
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    from tests.support.postgres import empty  # not for unit tests: it imports the store

    with empty(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def _session_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with services(tmp_path_factory.mktemp("services"), os.environ) as running:
        yield running


@pytest.fixture
def stack(_session_stack: Stack) -> Stack:
    """PostgreSQL, Kafka and ActiveMQ, all of them up; tests may stop, kill and restart them.

    One for all tests: whoever needs empty topics, queues or tables uses names of his own.
    """
    for service in _session_stack.status().services.values():
        if not service.is_serving:
            _session_stack.restart(service.name)
    return _session_stack
