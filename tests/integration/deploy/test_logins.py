"""The logins that an administrator makes: enough for what each is for, and for nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import psycopg2
import pytest

from pipeline.devstack.plan import POSTGRES
from tests.support import postgres
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.lines import COMPLETE, complete, line, write
from tests.support.programs import postgres_program
from tests.support.scraped import address_of
from tests.support.services import services

pytestmark = pytest.mark.stack

LOGINS = Path(__file__).resolve().parents[3] / "deploy" / "logins.sql"
PASSWORDS = ("owner", "writer", "web", "grafana-database")


class Server:
    """A server of the module's own: what it is tried on is the same in all databases of a server."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._secrets = folder

    def make_logins(self, passwords: str) -> None:
        for name in PASSWORDS:
            (self._secrets / f"{name}-password").write_text(f"{passwords} of {name}'s")
        command = [postgres_program("psql"), "--no-psqlrc", "--quiet", f"--file={LOGINS}", self.url]
        subprocess.run(command, env=os.environ | {"SECRETS": str(self._secrets)}, check=True, timeout=60)

    def as_login(self, login: str, name: str) -> str:
        """The address of the database for the login whose password is in the file of this name."""
        passes = self._secrets / f"{name}-pgpass"
        passes.write_text(f"*:*:*:{login}:{(self._secrets / f'{name}-password').read_text()}\n")
        passes.chmod(0o600)
        host = urlsplit(self.url).netloc.rpartition("@")[2]
        return f"postgresql://{login}@{host}/transferscope?passfile={passes}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("logins")
    with services(folder, {}, {POSTGRES}) as running:
        url = running.env()[postgres.VARIABLE]
        assert parse_qs(urlsplit(url).query)["passfile"], "the server asks for passwords"
        with closing(Database(urlsplit(url)._replace(path="/postgres").geturl())) as administrator:
            administrator.ask("DROP DATABASE transferscope")
            made = Server(administrator.url, folder)
            made.make_logins("first")
            made.make_logins("second")
            yield made


@pytest.fixture(scope="module")
def commands(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Of the processes that write, with tables that `init` made as their owner, and a transfer."""
    folder = tmp_path_factory.mktemp("commands")
    made = Commands({postgres.VARIABLE: server.as_login("transferscope_processes", "writer")}, folder)
    owner = {postgres.VARIABLE: server.as_login("transferscope", "owner")}
    made("init", settings=owner)
    made("tokens", "add", "me", settings=owner)
    made("replay", write(folder / "traffic.jsonl", [line(COMPLETE, complete(1))]))
    yield made
    made.close()


def test_processes_write_and_may_not_make_tokens(commands: Commands) -> None:
    (window,) = json.loads(commands("query", "links", "--from", "2020-01-01", "--json"))
    assert window["ok"] == 1
    commands("tokens", "list", code=2)
    assert "permission denied" in commands.err
    commands("init", code=2)


def test_pages_are_shown_by_a_login_that_changes_nothing(commands: Commands, server: Server) -> None:
    web = {postgres.VARIABLE: server.as_login("transferscope_pages", "web")}
    running = commands.start("web", "--port", "0", settings=web)
    address = address_of(running)
    with urlopen(f"{address}/readyz", timeout=10) as reply:
        assert reply.status == 200
    commands("recompute", "--from", "2020-01-01", settings=web, code=2)
    assert "permission denied" in commands.err


def test_the_owner_of_the_tables_is_no_administrator(commands: Commands, server: Server) -> None:
    with closing(Database(server.as_login("transferscope", "owner"))) as owner:
        for forbidden in ("CREATE ROLE more", "CREATE DATABASE more", "SELECT pg_read_file('/etc/passwd')"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                owner.ask(forbidden)


@pytest.mark.usefixtures("commands")
def test_grafana_reads_aggregates_and_nothing_else(server: Server) -> None:
    theirs = server.as_login("transferscope_grafana", "grafana-database")
    with closing(psycopg2.connect(theirs)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT sum(ok) FROM report.link_10m")
        assert cursor.fetchone() == (1,)
        for forbidden in ("SELECT * FROM report.transfer", "SELECT * FROM store.transfer", "CREATE TABLE t ()"):
            connection.rollback()
            with pytest.raises(psycopg2.Error):
                cursor.execute(forbidden)
