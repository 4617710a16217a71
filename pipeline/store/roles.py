"""Roles of the database with the least rights that each kind of process needs; nobody logs in as one of them.

The login that runs ``init`` owns all tables, and is used for nothing else than ``init`` and ``tokens``. The others are
granted one of these roles. Rights on views of ``report`` go with the views, in their migrations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import psycopg2
from psycopg2 import sql

from pipeline.store.session import Cursor, Unavailable, connect, service_address

READER = "transferscope_reader"
OPERATOR = "transferscope_operator"
WRITER = "transferscope_writer"
WEB = "transferscope_web"

_ALONE = 0x7473_726F

_ADDED = "INSERT"
_CHANGED = "INSERT, UPDATE"
_REPLACED = "INSERT, UPDATE, DELETE"
_FORGOTTEN = "INSERT, DELETE"

WRITES: Mapping[str, str] = {
    **dict.fromkeys(("link", "flow", "error", "queue_message"), _ADDED),
    **dict.fromkeys(("start", "transfer", "file_state", "queue_sample", "dead_letter", "freshness"), _CHANGED),
    **dict.fromkeys(("alert", "topology", "topology_copy", "setting", "progress", "final_state"), _CHANGED),
    **dict.fromkeys(("heartbeat", "silence", "notification"), _CHANGED),
    # The relay forgets what it has published, and housekeeping what is old, where no partition is dropped for it.
    **dict.fromkeys(("outbox", "backlog", "verify_run", "wide_key"), _FORGOTTEN),
    **dict.fromkeys(("source_10m", "final_pass"), _REPLACED),
    # recompute replaces windows.
    **dict.fromkeys(("link_10m", "link_1h", "link_1d", "link_hist", "error_10m", "file_state_10m"), _REPLACED),
    **dict.fromkeys(("flow_10m", "flow_1h", "flow_1d"), _REPLACED),
}
"""What writers may do to each table, beside reading it; ``token`` and ``audit`` stand apart."""

_NOTED = ("operation", "who", "via", "origin", "action", "subject", "result")
"""Columns of an audit line that its writer may set; id, time and login are the database's."""


class Right(NamedTuple):
    """What may be done to a table, or to these columns of it alone."""

    table: str
    privilege: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        return f"{self.privilege}{columns} ON {self.table}"


_AUDITED = Right("store.audit", "INSERT", _NOTED)
_GRANTED: Mapping[str, tuple[Right, ...]] = {
    WRITER: (
        *(Right(f"store.{table}", each) for table, more in WRITES.items() for each in ("SELECT", *more.split(", "))),
        _AUDITED,
    ),
    WEB: (
        _AUDITED,
        Right("store.token", "SELECT"),
        Right("store.token", "UPDATE", ("last_used_at",)),
        Right("store.silence", "SELECT"),
        Right("store.silence", "INSERT", ("rule", "subject", "reason", "author", "ends_at")),
        Right("store.silence", "UPDATE", ("ends_at",)),
        Right("store.outbox", "INSERT", ("topic", "ended_at", "keys")),
        Right("store.setting", "SELECT"),  # whether the tables are not too new for it
    ),
}
_SEEN = {
    READER: (Right("report.link_10m", "SELECT"), Right("report.alert", "SELECT")),
    OPERATOR: (Right("report.transfer", "SELECT"), Right("report.audit", "SELECT")),
}
"""Views that tell whether a login has a role of those that only read."""

_FUNCTIONS = (
    "store.make_partition(text, text, timestamptz, timestamptz, integer)",
    "store.drop_partition(text)",
    "store.forget_audit()",
)


class Holder(NamedTuple):
    """A role, and whose login it is granted to."""

    role: str
    meant_for: str


HOLDERS = (
    Holder(WRITER, "worker, relay, alerts, replay, recompute, verify, dead-letters, topology load"),
    Holder(WEB, "web"),
    Holder(OPERATOR, "operators who read single transfers, dead letters and the audit by SQL"),
    Holder(READER, "dashboards and whoever reads aggregates by SQL"),
)


def ensure(database_url: str) -> list[str]:
    """Make the roles that are missing and set the rights of all, in one transaction; the names of those made.

    For the owner of the tables, after the migrations. Where he may not make roles, an administrator of PostgreSQL makes
    them beforehand, with transferscope_operator granted to transferscope_writer and transferscope_web. Raises
    Unavailable.
    """
    try:
        with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_ALONE,))
            made = [role for role, _ in HOLDERS if _made(cursor, role)]
            _grant(cursor)
            return made
    except psycopg2.OperationalError as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error)) from error


def _made(cursor: Cursor, role: str) -> bool:
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
    if cursor.fetchone() is not None:
        return False
    cursor.execute("SAVEPOINT role")
    try:
        cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
        cursor.execute("ROLLBACK TO SAVEPOINT role")  # another database of this cluster was faster
        return False
    return True


def _grant(cursor: Cursor) -> None:
    for role in (WRITER, WEB):
        cursor.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", (role, OPERATOR))
        if cursor.fetchone() != (True,):
            cursor.execute(f"GRANT {OPERATOR} TO {role}")
    cursor.execute("SELECT current_database()")
    ((database,),) = cursor.fetchall()
    cursor.execute(
        sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(WRITER))
    )
    cursor.execute(f"GRANT SELECT ON public.alembic_version TO {READER}, {OPERATOR}")
    cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA store FROM {READER}, {OPERATOR}, {WRITER}, {WEB}")
    for role, rights in _GRANTED.items():
        cursor.execute("".join(f"GRANT {right} TO {role};" for right in rights))
    cursor.execute(f"GRANT EXECUTE ON FUNCTION {', '.join(_FUNCTIONS)} TO {WRITER}")


class Standing(NamedTuple):
    """What the login of a connection may do. ``owns``: it may run ``init``; ``granted``: the roles that it has;
    ``lacks``: what it may not do of what each role is for, by role; ``writes``: the server takes writes."""

    login: str
    owns: bool
    granted: frozenset[str]
    lacks: Mapping[str, tuple[Right, ...]]
    writes: bool


def standing(cursor: Cursor) -> Standing | None:
    """As the database says now, None without tables. Asks for rights, not for roles: they may differ."""
    cursor.execute(
        "SELECT current_user, pg_has_role(c.relowner, 'USAGE'), current_setting('transaction_read_only') = 'off'"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'store' AND c.relname = 'link'"
    )
    if (row := cursor.fetchone()) is None:
        return None
    login, owns, writes = row
    cursor.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(oid, 'MEMBER')",
        ([role for role, _ in HOLDERS],),
    )
    granted = frozenset(name for (name,) in cursor.fetchall())
    lacks = {role: _lacking(cursor, rights) for role, rights in {**_SEEN, **_GRANTED}.items()}
    return Standing(login, owns, granted, lacks, writes)


_LACKING = """
SELECT DISTINCT number
FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::text[]) AS a(number, space, tab, name, privilege)
LEFT JOIN pg_namespace AS n ON n.nspname = a.space
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = a.tab
WHERE (
    has_schema_privilege(n.oid, 'USAGE')
    AND CASE WHEN name IS NULL THEN has_table_privilege(c.oid, privilege)
        ELSE has_column_privilege(c.oid, name, privilege) END
) IS NOT TRUE
ORDER BY number
"""


def _lacking(cursor: Cursor, rights: Sequence[Right]) -> tuple[Right, ...]:
    asked = [
        (number, *right.table.split("."), name, right.privilege)
        for number, right in enumerate(rights)
        for name in right.columns or (None,)
    ]
    cursor.execute(_LACKING, tuple(map(list, zip(*asked, strict=True))))
    return tuple(rights[number] for (number,) in cursor.fetchall())
