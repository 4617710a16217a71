"""Roles of the database: what each may not do, statement by statement, and that writers may do all their work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.store import roles
from pipeline.store.housekeeping import Housekeeper
from pipeline.store.retention import Retention
from pipeline.store.session import connect
from pipeline.store.tables import metadata
from tests.support import postgres
from tests.support.database import Database
from tests.support.fts_messages import DAY
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.logins import Login, login_of
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

TABLES = sorted(table.name for table in metadata.tables.values())
MESSAGES = {"start", "transfer", "file_state", "queue_message"}
NEVER_DELETED = {*MESSAGES, "link", "flow", "error", "dead_letter", "topology", "topology_copy", "setting", "alert"}
STATEMENTS = {
    "SELECT": "SELECT * FROM store.{table} LIMIT 0",
    "INSERT": "INSERT INTO store.{table} DEFAULT VALUES",
    "UPDATE": "UPDATE store.{table} SET {column} = {column} WHERE false",
    "DELETE": "DELETE FROM store.{table} WHERE false",
    "TRUNCATE": "TRUNCATE store.{table}",
    "ALTER": "ALTER TABLE store.{table} ADD COLUMN more integer",
    "DROP": "DROP TABLE store.{table}",
    "LOCK": "LOCK TABLE store.{table} IN ACCESS EXCLUSIVE MODE",
    "OWN": "ALTER TABLE store.{table} OWNER TO CURRENT_USER",
    "TRIGGER": "CREATE TRIGGER t BEFORE INSERT ON store.{table}"
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
}
ELSEWHERE = (
    "CREATE TABLE store.more (id integer)",
    "CREATE TABLE report.more (id integer)",
    "CREATE TABLE public.more (id integer)",
    "CREATE VIEW report.more AS SELECT 1",
    "CREATE OR REPLACE VIEW report.audit AS SELECT 1",
    "DROP VIEW report.link_10m",
    "CREATE FUNCTION store.more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION store.forget_audit() SECURITY INVOKER",
    "DROP SCHEMA store CASCADE",
    "ALTER SCHEMA store OWNER TO CURRENT_USER",
    "UPDATE public.alembic_version SET version_num = 'x'",
    "CREATE ROLE more",
    "ALTER ROLE transferscope_reader SUPERUSER",
    "GRANT transferscope_writer TO transferscope_reader",
    "SET ROLE postgres",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
)


@pytest.fixture
def owner(database: Database) -> Database:
    roles.ensure(database.url)
    return database


@pytest.fixture(params=[roles.READER, roles.OPERATOR, roles.WEB, roles.WRITER])
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def login(owner: Database, role: str) -> Iterator[Login]:
    with login_of(owner, role) as made:
        yield made


def allowed(role: str, table: str) -> set[str]:
    """What a role needs of a table, said here once more, from what the processes do."""
    if role in (roles.WEB, roles.WRITER) and table == "audit":
        return {"INSERT"}
    if role == roles.WEB and table == "token":
        return {"SELECT", "UPDATE"}  # of the last column alone: see below
    if role == roles.WEB and table == "setting":
        return {"SELECT"}
    if role == roles.WEB and table in ("silence", "outbox"):
        return {"INSERT"} if table == "outbox" else {"SELECT", "INSERT", "UPDATE"}  # see below
    if role != roles.WRITER or table == "token":
        return set()
    found = {"SELECT", "INSERT"}
    if table not in ("link", "flow", "error", "queue_message", "outbox", "backlog", "verify_run", "wide_key"):
        found |= {"UPDATE", "LOCK"}
    alerter = {"heartbeat", "silence", "notification"}
    if table not in {*NEVER_DELETED, *alerter, "queue_sample", "freshness", "progress", "final_state"}:
        found |= {"DELETE", "LOCK"}
    return found


def test_each_role_may_do_to_each_table_what_it_needs_and_nothing_else(login: Login, role: str) -> None:
    for table in metadata.tables.values():
        column = list(table.columns)[-1].name
        may = {name for name, text in STATEMENTS.items() if login.may(text.format(table=table.name, column=column))}
        assert may == allowed(role, table.name), table.name


def test_nobody_makes_or_changes_anything_else(login: Login, role: str) -> None:
    assert [each for each in ELSEWHERE if login.may(each)] == []


def test_single_transfers_dead_letters_and_the_audit_are_for_operators(login: Login, role: str) -> None:
    for view in ("transfer", "in_flight", "dead_letter", "audit"):
        assert login.may(f"SELECT * FROM report.{view} LIMIT 0") == (role != roles.READER), view
    for view in ("link_10m", "channel_1d", "error_10m", "alert", "freshness"):
        assert login.may(f"SELECT * FROM report.{view} LIMIT 0"), view


@pytest.mark.parametrize("role", [roles.WRITER, roles.WEB], indirect=True)
def test_the_audit_takes_lines_whose_time_and_login_nobody_chooses(login: Login, owner: Database) -> None:
    fields = "operation, who, via, origin, action, subject, result"
    values = "'1', 'me', 'os', 'here', 'try', 'x', 'done'"
    for more, value in (("at", "now()"), ("login", "'other'"), ("id", "7")):
        assert not login.may(
            f"INSERT INTO store.audit ({fields}, {more}) OVERRIDING SYSTEM VALUE VALUES ({values}, {value})"
        )
    with closing(connect(login.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO store.audit ({fields}) VALUES ({values})")
    assert owner.ask("SELECT who, login, at <= now() FROM report.audit") == [("me", login.name, True)]


@pytest.mark.parametrize("role", [roles.WEB], indirect=True)
def test_web_notes_the_use_of_tokens_and_changes_nothing_else_of_them(login: Login) -> None:
    assert login.may("UPDATE store.token SET last_used_at = now()")
    for column in ("digest", "name", "role", "vos", "expires_at", "revoked_at"):
        assert not login.may(f"UPDATE store.token SET {column} = {column}"), column


@pytest.mark.parametrize("role", [roles.WEB], indirect=True)
def test_web_ends_a_silence_and_changes_nothing_else_of_it(login: Login) -> None:
    assert login.may("UPDATE store.silence SET ends_at = now()")
    for column in ("rule", "subject", "reason", "author", "created_at"):
        assert not login.may(f"UPDATE store.silence SET {column} = {column}"), column
    fields = "rule, subject, reason, author, ends_at"
    values = "'*', '*', 'x', 'me', now()"
    assert login.may(f"INSERT INTO store.silence ({fields}) VALUES ({values})")
    assert not login.may(f"INSERT INTO store.silence ({fields}, created_at) VALUES ({values}, now())")
    assert login.may("INSERT INTO store.outbox (topic, ended_at, keys) VALUES ('alerts', '{}', '{1}')")
    assert not login.may("INSERT INTO store.outbox (topic, ended_at, keys, written_at) VALUES ('x', '{}', '{}', now())")


FUNCTIONS = (
    "SELECT store.make_partition('start', 'start_p20990101', '2099-01-01', '2099-01-02', 100)",
    "SELECT store.drop_partition('start_p20990101')",
    "SELECT store.forget_audit()",
)


def test_partitions_are_for_writers(login: Login, role: str) -> None:
    assert [login.may(each) for each in FUNCTIONS] == [role == roles.WRITER] * 3


@pytest.mark.parametrize("role", [roles.WRITER], indirect=True)
@pytest.mark.parametrize(
    "arguments",
    [
        "'link', 'link_p20990101', '2099-01-01', '2099-01-02', 100",
        "'pg_class', 'pg_class_p20990101', '2099-01-01', '2099-01-02', 100",
        "'start', 'token', '2099-01-01', '2099-01-02', 100",
        "'start', 'transfer_p20990101', '2099-01-01', '2099-01-02', 100",
        "'start', 'start_p2099', '2099-01-01', '2099-01-02', 0",
        "'start', 'start_p2099; DROP TABLE store.token; --', '2099-01-01', '2099-01-02', 100",
    ],
)
def test_writers_make_no_table_but_a_partition_of_ours(login: Login, arguments: str) -> None:
    assert not login.may(f"SELECT store.make_partition({arguments})")


@pytest.mark.parametrize("role", [roles.WRITER], indirect=True)
def test_writers_drop_no_table_but_a_partition_below_the_raw_floor(login: Login, owner: Database) -> None:
    for parent, name, end in (("start", "start_p20200101", "2020-01-02"), ("link_1d", "link_1d_p2019", "2020-01-01")):
        begin = "2020-01-01" if parent == "start" else "2019-01-01"
        owner.ask("SELECT store.make_partition(%s, %s, %s, %s, 100)", (parent, name, begin, end))
    drop = "SELECT store.drop_partition('start_p20200101')"
    assert not login.may(drop), "there is no raw floor yet"
    for floor, may in (("2020-01-01", False), ("2020-01-02", True)):
        owner.ask(
            "INSERT INTO store.setting VALUES ('raw_floor_ms', (extract(epoch FROM %s::timestamptz) * 1000)::bigint)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (floor,),
        )
        assert login.may(drop) == may
    for name in ("token", "audit", "start", "link_1d_p2019", "link", "pg_class"):
        assert login.may(f"SELECT store.drop_partition('{name}')") == (name == "pg_class"), name
    assert owner.value("SELECT to_regclass('pg_class') IS NOT NULL")


def test_making_them_again_changes_nothing_and_takes_back_what_was_added(owner: Database) -> None:
    asked = (
        "SELECT grantee, table_schema, table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE grantee LIKE 'transferscope%' ORDER BY 1, 2, 3, 4"
    )
    before = owner.ask(asked)
    assert len(before) > 100
    owner.ask("GRANT DELETE ON store.transfer TO transferscope_writer")
    assert owner.ask(asked) != before
    assert roles.ensure(owner.url) == []
    assert owner.ask(asked) == before


@pytest.fixture
def writer(owner: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Login]:
    with login_of(owner, roles.WRITER) as made:
        monkeypatch.setenv(postgres.VARIABLE, made.url)
        yield made


def test_writers_do_all_their_work(shell: Shell, writer: Login, owner: Database, tmp_path: Path) -> None:
    lines = [line(COMPLETE, complete(n, NOON_MS + n * 1000)) for n in range(5)]
    lines += [line(START, start(1)), line(COMPLETE, complete(9, t_final_transfer_state="Error"))]
    lines.append(line(COMPLETE, "no json"))
    shell("replay", write(tmp_path / "traffic.jsonl", lines))
    shell("replay", write(tmp_path / "more.jsonl", lines))
    assert owner.value("SELECT count(*) FROM store.transfer") == 6
    shell("topology", "load", "deploy/topology.example.json")
    shell("verify")
    shell("recompute")
    (number,) = [row["id"] for row in shell.json("dead-letters", "list")]
    shell("dead-letters", "show", number)
    shell("dead-letters", "replay", code=1)
    shell("query", "links")
    shell("query", "transfers")
    keeper = Housekeeper(writer.url, Retention(1, 1, 1), clock=lambda _: NOON_MS + 60 * DAY)
    done = keeper.run()
    assert (done.dropped > 5, done.emptied) == (True, 1)
    assert owner.value("SELECT count(*) FROM store.transfer") == 0
    shell("tokens", "list", code=2)
    assert "may not do this" in shell.err
    shell("init", code=2)


def test_init_says_what_to_grant_to_whom(shell: Shell) -> None:
    said = shell("init")
    for role, meant_for in roles.HOLDERS:
        assert f"GRANT {role} TO the login of {meant_for}" in said
