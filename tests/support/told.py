"""What the relay told of transfers against what is stored of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing

from tests.support.database import Database
from tests.support.kafka_reader import Found


def assert_told(found: Iterable[Found], database_url: str) -> None:
    """Of each stored transfer the last document is its row, and no other has one."""
    last = {record.key: json.loads(record.value) for record in found}
    told = sorted(
        (d["fts"] or "", d["transfer_id"] or "", d["ended_at"], d["state"], d["start_transfer_id"] or "")
        for d in last.values()
    )
    with closing(Database(database_url)) as database:
        rows = database.ask(
            "SELECT coalesce(fts, ''), coalesce(transfer_id, ''), to_json(ended_at)#>>'{}', state,"
            " coalesce(start_transfer_id, '') FROM report.transfer"
        )
    assert told == sorted(rows)
