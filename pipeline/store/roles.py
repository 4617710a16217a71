"""Roles of the database with the least rights that each kind of process needs; nobody logs in as one of them.

The login that runs ``init`` owns all tables, and is used for nothing else than ``init`` and ``tokens``. The others are
granted one of these roles. Rights on views of ``report`` go with the views, in their migrations.
"""

from __future__ import annotations

from collections.abc import Mapping
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

_NOTED = "operation, who, via, origin, action, subject, result"
"""Columns of an audit line that its writer may set; id, time and login are the database's."""

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
    for table, rights in WRITES.items():
        cursor.execute(f"GRANT SELECT, {rights} ON store.{table} TO {WRITER}")
    cursor.execute(f"GRANT INSERT ({_NOTED}) ON store.audit TO {WRITER}, {WEB}")
    cursor.execute(f"GRANT SELECT, UPDATE (last_used_at) ON store.token TO {WEB}")
    cursor.execute(f"GRANT SELECT ON store.setting TO {WEB}")  # whether the tables are not too new for it
    cursor.execute(f"GRANT EXECUTE ON FUNCTION {', '.join(_FUNCTIONS)} TO {WRITER}")
