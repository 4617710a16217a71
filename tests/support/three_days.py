"""Three days of transfers of few links in a store, final up to the middle of an hour, some of them changed late."""

from __future__ import annotations

import random
from contextlib import closing

from pipeline.ingest import Ingest
from pipeline.stages.finality import GRACE_MS, Watermark
from pipeline.store.finality import Passes
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_TRANSFER
from tests.support.fts_messages import DAY, HOUR, MINUTE, complete_fields, raw

MIDNIGHT = 1_795_305_600_000 - 1_795_305_600_000 % DAY
SPAN = 3 * DAY
FINAL_UNTIL = MIDNIGHT + 2 * DAY + 7 * HOUR + 20 * MINUTE


def message(chance: random.Random, number: int, ended_ms: int) -> RawMessage:
    source, destination = f"se{chance.randrange(3)}.a.org", f"se{chance.randrange(3)}.b.org"
    lasted_ms = chance.choice([1000, 5 * MINUTE, 3 * HOUR])
    fields = complete_fields(
        file_id=number,
        vo=chance.choice(["atlas", "cms", "lhcb"]),
        t_channel=chance.choice(["", f"{source}__{destination}"]),
        src_hostname=source,
        dst_hostname=destination,
        t_final_transfer_state=chance.choice(["Ok", "Ok", "Error", "Abort"]),
        tr_bt_transfered=chance.randrange(10**10),
        tr_timestamp_start=ended_ms - lasted_ms - 2000,
        timestamp_tr_st=ended_ms - lasted_ms,
        timestamp_tr_comp=ended_ms,
        tr_timestamp_complete=ended_ms,
    )
    return raw(FTS_COMPLETE, fields, received_ms=ended_ms + 1000, identity=str(number))


def moments(chance: random.Random) -> list[int]:
    """Some times all over the range, and some that leave the rest of their hour or day empty."""
    return [MIDNIGHT + chance.randrange(SPAN) for _ in range(250)] + [FINAL_UNTIL - each * MINUTE for each in range(40)]


def filled(url: str) -> None:
    """Fills an empty store."""
    chance = random.Random(5)
    with closing(Ingest(url)) as ingest:
        ingest.process([message(chance, number, ended) for number, ended in enumerate(moments(chance))])
        Passes(url).run({FTS_TRANSFER: Watermark(FINAL_UNTIL + GRACE_MS, "")})
        ingest.process([message(chance, 1000 + number, MIDNIGHT + number * 2 * HOUR) for number in range(5)])
