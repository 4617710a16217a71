"""Fixtures of tests that need real services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from pipeline.ingest import Ingest
from tests.support import postgres
from tests.support.database import Database
from tests.support.shell import Shell


@pytest.fixture(scope="session")
def template_url(postgres_server: str) -> Iterator[str]:
    """A migrated database that tests copy and never change."""
    with postgres.template(postgres_server) as url:
        yield url


@pytest.fixture
def database_url(template_url: str) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with postgres.copy_of(template_url) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A look into that database."""
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture
def ingest(database_url: str) -> Iterator[Ingest]:
    """A writer into that database."""
    with closing(Ingest(database_url)) as writer:
        yield writer


@pytest.fixture
def shell(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Commands against a database of this test's own."""
    monkeypatch.setenv(postgres.VARIABLE, database_url)
    return Shell(capsys)
