"""Topologies that were loaded, newest last; rows point to the revision that enriched them.

A batch shares the topology while it is written and a load owns it (``locks.py``): so no row is written with an older
revision after the load has marked what it maps otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extensions import Binary
from psycopg2.extensions import cursor as Cursor


class Copy(NamedTuple):
    """What an address gave when it last was of use, and what it is to be asked with ("" where it told none)."""

    address: str
    etag: str
    last_modified: str
    content: bytes


class InUse(NamedTuple):
    """The topology in use: where it is from, when it came into use, and seconds since a load last found it so."""

    revision: int
    source: str
    loaded_at: datetime
    confirmed_at: datetime
    age_s: int


def insert(cursor: Cursor, document: dict[str, Any], source: str, confirmed: bool = True) -> int:
    """Store a topology document; the revision it got, or that of the newest if it is the same.

    ``confirmed``: all of it was heard just now, so the age of the one in use starts anew.
    """
    text = json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    cursor.execute("SELECT revision, sha256 FROM store.topology ORDER BY revision DESC LIMIT 1")
    newest = cursor.fetchone()
    if newest and newest[1] == digest:
        if confirmed:
            cursor.execute("UPDATE store.topology SET confirmed_at = now() WHERE revision = %s", (newest[0],))
        return int(newest[0])
    cursor.execute(
        "INSERT INTO store.topology (source, sha256, document) VALUES (%s, %s, %s) RETURNING revision",
        (source, digest, text),
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def latest(cursor: Cursor) -> tuple[int, dict[str, Any]] | None:
    """The newest revision and its document; None when none was loaded."""
    cursor.execute("SELECT revision, document FROM store.topology ORDER BY revision DESC LIMIT 1")
    row = cursor.fetchone()
    return (int(row[0]), row[1]) if row else None


def latest_revision(cursor: Cursor) -> int:
    """The newest revision, 0 when none was loaded."""
    cursor.execute("SELECT coalesce(max(revision), 0) FROM store.topology")
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def in_use(cursor: Cursor) -> InUse | None:
    """The newest revision, without its document; None when none was loaded."""
    cursor.execute(
        "SELECT revision, source, loaded_at, confirmed_at, floor(extract(epoch FROM now() - confirmed_at))::bigint"
        " FROM report.topology ORDER BY revision DESC LIMIT 1"
    )
    row = cursor.fetchone()
    return InUse(*row) if row else None


def copy_of(cursor: Cursor, address: str) -> Copy | None:
    """The last good copy of an address; None when there is none."""
    cursor.execute(
        "SELECT address, etag, last_modified, content FROM store.topology_copy WHERE address = %s", (address,)
    )
    row = cursor.fetchone()
    return Copy(row[0], row[1], row[2], bytes(row[3])) if row else None


def keep(cursor: Cursor, copies: Iterable[Copy]) -> None:
    """Keep these as the last good copies."""
    for copy in copies:
        cursor.execute(
            "INSERT INTO store.topology_copy AS known (address, etag, last_modified, content) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (address) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified,"
            " content = excluded.content, confirmed_at = now(),"
            " fetched_at = CASE WHEN known.content = excluded.content THEN known.fetched_at ELSE now() END",
            (*copy[:3], Binary(copy.content)),
        )
