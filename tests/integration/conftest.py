"""Fixtures of tests that need real services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import postgres
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
def shell(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Commands against a database of this test's own."""
    monkeypatch.setenv(postgres.VARIABLE, database_url)
    return Shell(capsys)
