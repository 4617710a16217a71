"""The installed commands on real services, with nothing of earlier tests in sight (tests/README.md says how)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.devstack.state import ADOPTED
from schemas.topics import TOPICS
from tests.support.commands import Commands
from tests.support.emptied import empty_topics, remove_queues
from tests.support.postgres import empty

_NAMED_BY = {
    POSTGRES: "TRANSFERSCOPE_DATABASE_URL",
    KAFKA: "TRANSFERSCOPE_KAFKA_BOOTSTRAP",
    ACTIVEMQ: "TRANSFERSCOPE_STOMP_BROKERS",
}


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """The session's, if it is nobody's but ours: what is in its topics is deleted, what we publish may be heard."""
    states = stack.status().services
    theirs = [name for name, service in states.items() if service.state == ADOPTED and os.environ.get(_NAMED_BY[name])]
    if theirs:
        pytest.skip(f"{' and '.join(theirs)} may be somebody's: unset {' and '.join(_NAMED_BY[n] for n in theirs)}")
    return stack


@pytest.fixture
def breakable(stack: Stack) -> Stack:
    """The same, if its services can be stopped: containers are not ours to stop."""
    if any(service.state == ADOPTED for service in stack.status().services.values()):
        pytest.skip("the services run in containers")
    return stack


@pytest.fixture
def transferscope(stack: Stack, tmp_path: Path) -> Iterator[Commands]:
    """The commands, with a database and virtual queues of this test's own, all topics empty, after ``init``.

    What is started ends with the test, whatever becomes of it. Nothing may be left in the current folder.
    """
    services = stack.env()
    consumer = f"test-{uuid.uuid4().hex[:12]}"
    with empty(services["TRANSFERSCOPE_DATABASE_URL"]) as url:
        own = {"TRANSFERSCOPE_DATABASE_URL": url, "TRANSFERSCOPE_STOMP_CONSUMER": consumer}
        commands = Commands(services | own, tmp_path)
        commands("init")
        empty_topics(services["TRANSFERSCOPE_KAFKA_BOOTSTRAP"], [topic.name for topic in TOPICS])
        try:
            yield commands
        finally:
            commands.close()
        remove_queues(services, consumer)
    assert list(commands.current_folder.iterdir()) == []
