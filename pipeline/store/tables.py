"""The base tables, schema ``store``, in the order of the flow. What people read are the views of ``report``.

"None" in a key (no FTS, no channel) is ``''`` here and NULL in the views: with plain NULLs every upsert would make a
new row. Raw rows and base windows are partitioned by time (``partitions.py``).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from pipeline.stages.errors import ErrorKey
from pipeline.stages.flows import FLOW_COUNTERS, FlowKey
from pipeline.stages.windows import COUNTERS
from pipeline.store.access_tables import access_tables
from pipeline.store.final_tables import final_tables
from pipeline.store.heard_tables import heard_tables
from pipeline.store.notice_tables import notice_tables
from pipeline.store.outbox_tables import outbox_tables
from pipeline.store.queue_tables import queue_tables
from schemas.events import STAGES

metadata = MetaData(schema="store")


def _moment() -> DateTime:
    return DateTime(timezone=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What views and writers agree on: lost_after_s, raw_floor_ms.",
)

topology = Table(
    "topology",
    metadata,
    Column("revision", Integer, Identity(always=True), primary_key=True),
    Column("loaded_at", _moment(), nullable=False, server_default=func.now()),
    Column("source", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("confirmed_at", _moment(), nullable=False, server_default=func.now()),
    comment="Every topology that was loaded; rows tell the revision that enriched them.",
)

topology_copy = Table(
    "topology_copy",
    metadata,
    Column("address", Text, primary_key=True),
    _text("etag"),
    _text("last_modified"),
    Column("content", LargeBinary, nullable=False),
    Column("fetched_at", _moment(), nullable=False, server_default=func.now()),
    Column("confirmed_at", _moment(), nullable=False, server_default=func.now()),
    comment="The last good copy of each address that topologies are loaded from.",
)

link = Table(
    "link",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("key_hash", UUID, nullable=False),
    *(
        _text(name)
        for name in (
            "technology",
            "fts",
            "vo",
            "channel",
            "src_host",
            "dst_host",
            "src_site",
            "dst_site",
            "src_country",
            "dst_country",
        )
    ),
    UniqueConstraint("key_hash"),
    comment="The distinct keys of link windows; a hash is unique because texts from messages can be of any length.",
)

flow = Table(
    "flow",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("key_hash", UUID, nullable=False),
    *(_text(name) for name in FlowKey._fields),
    UniqueConstraint("key_hash"),
    comment="The distinct keys of flow windows: an activity from one VO endpoint to another.",
)

error = Table(
    "error",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("key_hash", UUID, nullable=False),
    *(_text(name) for name in ErrorKey._fields),
    UniqueConstraint("key_hash"),
    comment="The distinct kinds of failure: scope, phase, category, code and message template.",
)

start = Table(
    "start",
    metadata,
    Column("event_at", _moment(), primary_key=True),
    Column("dedupe", BigInteger, primary_key=True, autoincrement=False),
    Column("key_order", BigInteger, nullable=False),
    Column("key_hash", BigInteger, nullable=False),
    Column("link_id", Integer, nullable=False),
    *(
        _text(name)
        for name in (
            "fts",
            "agent",
            "transfer_id",
            "job_id",
            "file_id",
            "activity",
            "src_url",
            "dst_url",
            "src_rse",
            "dst_rse",
            "src_token",
            "dst_token",
        )
    ),
    Column("topology_revision", Integer, nullable=False),
    Column("received_at", _moment(), nullable=False),
    _text("ref"),
    Column("paired", Boolean, nullable=False),
    Column("flow_id", Integer),
    Index("start_key", "key_order", "key_hash"),
    Index("start_unpaired", "event_at", postgresql_where=text("NOT paired")),
    postgresql_partition_by="RANGE (event_at)",
    comment="Every start message once, by day of its event time.",
)

transfer = Table(
    "transfer",
    metadata,
    Column("ended_at", _moment(), primary_key=True),
    Column("dedupe", BigInteger, primary_key=True, autoincrement=False),
    Column("key_order", BigInteger, nullable=False),
    Column("key_hash", BigInteger, nullable=False),
    Column("link_id", Integer, nullable=False),
    *(
        _text(name)
        for name in (
            "fts",
            "agent",
            "transfer_id",
            "job_id",
            "file_id",
            "activity",
            "channel_type",
            "protocol",
            "ipver",
            "src_url",
            "dst_url",
            "src_rse",
            "dst_rse",
            "src_token",
            "dst_token",
            "src_endpoint",
            "dst_endpoint",
            "src_status",
            "dst_status",
            "state",
            "error_scope",
            "error_phase",
            "error_category",
            "error_code",
            "error_message",
            "direction",
            "user_hash",
        )
    ),
    Column("topology_revision", Integer, nullable=False),
    Column("started_at", _moment()),
    Column("never_pairs", Boolean, nullable=False),
    Column("start_at", _moment()),
    Column("start_dedupe", BigInteger),
    Column("bytes", BigInteger, nullable=False),
    Column("file_size", BigInteger),
    Column("interval_use", SmallInteger, nullable=False),
    Column("moved_from", _moment()),
    Column("moved_to", _moment()),
    *(Column("throughput" if name == "throughput" else f"{name}_ms", BigInteger) for name in STAGES),
    Column("retry", BigInteger),
    Column("retry_max", BigInteger),
    Column("received_at", _moment(), nullable=False),
    _text("ref"),
    Column("flow_id", Integer),
    Column("error_id", Integer),
    Index("transfer_key", "key_order", "key_hash"),
    Index(
        "transfer_moved_on_other_days",
        "moved_from",
        postgresql_where=text("(moved_from AT TIME ZONE 'UTC') < date_trunc('day', ended_at AT TIME ZONE 'UTC')"),
    ),
    postgresql_partition_by="RANGE (ended_at)",
    comment="Every finished attempt once, by day of its event time, with a pointer to the start it is paired with.",
)

file_state = Table(
    "file_state",
    metadata,
    Column("event_at", _moment(), primary_key=True),
    Column("dedupe", BigInteger, primary_key=True, autoincrement=False),
    Column("key_order", BigInteger, nullable=False),
    Column("key_hash", BigInteger, nullable=False),
    Column("link_id", Integer, nullable=False),
    *(_text(name) for name in ("fts", "job_id", "file_id", "state", "job_state", "reason")),
    Column("submitted_at", _moment()),
    Column("wait_ms", BigInteger),
    Column("staging_ms", BigInteger),
    Column("retry", BigInteger),
    Column("received_at", _moment(), nullable=False),
    _text("ref"),
    Index("file_state_key", "key_order", "key_hash"),
    postgresql_partition_by="RANGE (event_at)",
    comment="Every state message once, by day of its event time. Its link has hosts alone.",
)

wide_key = Table(
    "wide_key",
    metadata,
    Column("key_order", BigInteger, primary_key=True, autoincrement=False),
    Column("key_hash", BigInteger, primary_key=True, autoincrement=False),
    comment="Transfer keys whose completes may pair with a start of any day, so that all days must be searched.",
)

queue_tables(metadata)
notice_tables(metadata)
outbox_tables(metadata)


def _window(name: str, comment: str, partitions: str | None) -> Table:
    return Table(
        name,
        metadata,
        Column("window_start", _moment(), primary_key=True),
        Column("link_id", Integer, primary_key=True, autoincrement=False),
        *(Column(counter, BigInteger, nullable=False) for counter in COUNTERS),
        *(
            column
            for stage in STAGES
            for column in (
                Column(f"{stage}_count", BigInteger, nullable=False),
                Column(f"{stage}_sum", Numeric if stage == "throughput" else BigInteger, nullable=False),
                Column(f"{stage}_min", BigInteger),
                Column(f"{stage}_max", BigInteger),
            )
        ),
        Column("updated_at", _moment(), nullable=False, server_default=func.statement_timestamp()),
        Column("stale", Boolean, nullable=False, server_default=text("false")),
        comment=comment,
        postgresql_partition_by=partitions,
    )


link_10m = _window("link_10m", "Base windows of links, ten minutes wide.", "RANGE (window_start)")
link_1h = _window("link_1h", "Sums of link_10m by hour.", "RANGE (window_start)")
link_1d = _window("link_1d", "Sums of link_10m by day.", "RANGE (window_start)")

link_hist = Table(
    "link_hist",
    metadata,
    Column("window_start", _moment(), nullable=False),
    Column("link_id", Integer, nullable=False),
    Column("codes", ARRAY(Integer), nullable=False),
    Column("counts", ARRAY(Integer), nullable=False),
    Index("link_hist_link", "link_id", "window_start"),
    postgresql_partition_by="RANGE (window_start)",
    comment="Histograms of base windows as additions: code = stage * 512 + bin. Read through store.link_histogram.",
)

file_state_10m = Table(
    "file_state_10m",
    metadata,
    Column("window_start", _moment(), primary_key=True),
    Column("link_id", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    *(
        column
        for stage in ("wait", "staging")
        for column in (
            Column(f"{stage}_count", BigInteger, nullable=False),
            Column(f"{stage}_sum", BigInteger, nullable=False),
            Column(f"{stage}_min", BigInteger),
            Column(f"{stage}_max", BigInteger),
        )
    ),
    Column("updated_at", _moment(), nullable=False, server_default=func.now()),
    postgresql_partition_by="RANGE (window_start)",
    comment="State messages by link and state, ten minutes wide.",
)


def _flow_window(name: str, comment: str) -> Table:
    return Table(
        name,
        metadata,
        Column("window_start", _moment(), primary_key=True),
        Column("flow_id", Integer, primary_key=True, autoincrement=False),
        *(Column(counter, BigInteger, nullable=False) for counter in FLOW_COUNTERS),
        Column("updated_at", _moment(), nullable=False, server_default=func.statement_timestamp()),
        Column("stale", Boolean, nullable=False, server_default=text("false")),
        comment=comment,
        postgresql_partition_by="RANGE (window_start)",
    )


flow_10m = _flow_window("flow_10m", "Base windows of flows, ten minutes wide.")
flow_1h = _flow_window("flow_1h", "Sums of flow_10m by hour.")
flow_1d = _flow_window("flow_1d", "Sums of flow_10m by day.")

error_10m = Table(
    "error_10m",
    metadata,
    Column("window_start", _moment(), primary_key=True),
    Column("link_id", Integer, primary_key=True, autoincrement=False),
    Column("error_id", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("sample_at", _moment(), nullable=False),
    Column("sample_dedupe", BigInteger, nullable=False),
    _text("sample"),
    comment="Failed transfers of a link by kind of failure, with the message of the first of them.",
    postgresql_partition_by="RANGE (window_start)",
)

heard_tables(metadata)
final_tables(metadata)
access_tables(metadata)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("identity", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("received_at", _moment()),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _text("ref"),
    Column("died_at", _moment(), nullable=False, server_default=func.now()),
    Column("replayed_at", _moment()),
    Column("emptied_at", _moment()),
    UniqueConstraint("identity"),
    Index("dead_letter_whole", "died_at", postgresql_where=text("emptied_at IS NULL")),
    comment="Messages that could not be used, whole, each once, with the reason.",
)

verify_run = Table(
    "verify_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_at", _moment(), nullable=False, server_default=func.now()),
    Column("window_from", _moment(), nullable=False),
    Column("window_to", _moment(), nullable=False),
    Column("cells", BigInteger, nullable=False),
    Column("differing", BigInteger, nullable=False),
    comment="Every verification: how many cells were compared and how many differed.",
)
