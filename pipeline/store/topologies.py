"""Topologies that were loaded, newest last; rows point to the revision that enriched them.

A batch shares the topology while it is written and a load owns it (``locks.py``): so no row is written with an older
revision after the load has marked what it maps otherwise.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from psycopg2.extensions import cursor as Cursor


def insert(cursor: Cursor, document: dict[str, Any], source: str) -> int:
    """Store a topology document; the revision it got, or that of the newest if it is the same."""
    text = json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    cursor.execute("SELECT revision, sha256 FROM store.topology ORDER BY revision DESC LIMIT 1")
    newest = cursor.fetchone()
    if newest and newest[1] == digest:
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
