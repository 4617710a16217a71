"""Migrations: up, down and up again; what they make is what ``tables.py`` says; one migrator at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from pipeline.ingest import Ingest
from pipeline.store import migrations, versions
from pipeline.store.session import connect
from pipeline.store.tables import metadata
from schemas.topics import FTS_COMPLETE
from tests.support.database import Database
from tests.support.fts_messages import complete_fields, raw

pytestmark = pytest.mark.stack

OBJECTS = (
    "SELECT 'table ' || n.nspname || '.' || c.relname || ' ' || c.relkind::text"
    " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname IN ('store', 'report')"
    " UNION ALL SELECT 'function ' || p.oid::regprocedure || ' ' || md5(pg_get_functiondef(p.oid))"
    " FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
    " WHERE n.nspname IN ('store', 'report') AND p.prokind = 'f'"
    " UNION ALL SELECT 'view ' || schemaname || '.' || viewname || ' ' || md5(definition)"
    " FROM pg_views WHERE schemaname = 'report'"
    " UNION ALL SELECT 'grant ' || grantee || ' ' || table_schema || '.' || table_name"
    " FROM information_schema.table_privileges WHERE grantee LIKE 'transferscope%' ORDER BY 1"
)


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Database]:
    with closing(Database(postgres_url)) as database:
        yield database


def test_up_down_and_up_again_makes_the_same(empty: Database) -> None:
    assert versions.current(empty.url) is None
    migrations.upgrade(empty.url)
    assert versions.current(empty.url) == versions.head()
    made = empty.ask(OBJECTS)
    assert len(made) > 50
    migrations.downgrade(empty.url, "base")
    assert empty.ask(OBJECTS) == []
    assert versions.current(empty.url) is None
    migrations.upgrade(empty.url)
    assert empty.ask(OBJECTS) == made


def test_down_takes_data_and_partitions_along(database_url: str, database: Database, ingest: Ingest) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    ingest.close()
    migrations.downgrade(database_url, "base")
    assert database.ask(OBJECTS) == []


def test_up_when_up_already_changes_nothing(database_url: str, database: Database, ingest: Ingest) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    before = database.ask(OBJECTS)
    migrations.upgrade(database_url)
    assert database.ask(OBJECTS) == before
    assert database.value("SELECT count(*) FROM report.transfer") == 1


def test_migrators_at_once_migrate_once(empty: Database) -> None:
    program = "import sys; from pipeline.store import migrations; migrations.upgrade(sys.argv[1])"
    # Processes, as several `init` are: alembic's context is one for all threads.
    migrators = [subprocess.Popen([sys.executable, "-c", program, empty.url]) for _ in range(3)]
    assert [migrator.wait(timeout=120) for migrator in migrators] == [0, 0, 0]
    assert versions.current(empty.url) == versions.head()


def test_a_second_database_of_a_server_shares_the_roles(empty: Database, database: Database) -> None:
    migrations.upgrade(empty.url)
    for each in (empty, database):
        assert each.value("SELECT has_table_privilege('transferscope_reader', 'report.link_10m', 'SELECT')")


def differences(database_url: str) -> list[Any]:
    def ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == "store"
        # Partitions come and go with the days; their indexes are those of their tables.
        return not re.search(r"_p\d{4,8}($|_)", name or "")

    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_schemas": True,
        "include_name": ours,
        "version_table_schema": "public",
    }
    engine = create_engine("postgresql+psycopg2://", creator=lambda: connect(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_the_version_of_this_code_is_that_of_its_newest_step() -> None:
    assert versions.head() == ScriptDirectory(migrations.__path__[0]).get_current_head()


def test_the_tables_are_those_that_the_code_names(database_url: str, ingest: Ingest) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    assert differences(database_url) == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE store.transfer ADD COLUMN extra integer",
        "ALTER TABLE store.transfer DROP COLUMN ipver CASCADE",
        "ALTER TABLE store.topology_copy ALTER COLUMN content TYPE text USING encode(content, 'hex')",
        "ALTER TABLE store.transfer ALTER COLUMN never_pairs DROP NOT NULL",
        "ALTER TABLE store.transfer ALTER COLUMN state SET DEFAULT 'x'",
        "DROP INDEX store.start_key",
        "CREATE TABLE store.another (id integer)",
        "COMMENT ON TABLE store.start IS 'something else'",
    ],
)
def test_a_difference_would_be_told(empty: Database, change: str) -> None:
    migrations.upgrade(empty.url)
    empty.ask(change)
    assert differences(empty.url) != []
