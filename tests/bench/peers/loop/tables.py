"""The tables of a loop from Kafka to PostgreSQL, and the loop itself: poll, write, commit there, commit here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg2
from kafka import KafkaConsumer
from kafka.errors import CommitFailedError
from peer import DATABASE_URL, GROUP, KAFKA, TOPIC, Complete, Progress, Start, parse

_TABLES = """
CREATE TABLE IF NOT EXISTS start (
    id text, at_ms bigint, file_id bigint, job_id text, vo text, src text, dst text, PRIMARY KEY (id, at_ms)
);
CREATE INDEX IF NOT EXISTS start_transfer ON start (file_id, job_id);
CREATE TABLE IF NOT EXISTS complete (
    id text, at_ms bigint, began_ms bigint, file_id bigint, job_id text, vo text, src text, dst text, state text,
    bytes bigint, start_ms bigint, PRIMARY KEY (id, at_ms)
);
CREATE INDEX IF NOT EXISTS complete_transfer ON complete (file_id, job_id);
CREATE TABLE IF NOT EXISTS link_10m (
    window_ms bigint, vo text, src text, dst text,
    started bigint NOT NULL DEFAULT 0, ok bigint NOT NULL DEFAULT 0, failed bigint NOT NULL DEFAULT 0,
    aborted bigint NOT NULL DEFAULT 0, bytes numeric NOT NULL DEFAULT 0, paired bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (window_ms, vo, src, dst)
);
"""
ADD_TO_WINDOW = """
ON CONFLICT (window_ms, vo, src, dst) DO UPDATE SET
    started = link_10m.started + excluded.started, ok = link_10m.ok + excluded.ok,
    failed = link_10m.failed + excluded.failed, aborted = link_10m.aborted + excluded.aborted,
    bytes = link_10m.bytes + excluded.bytes, paired = link_10m.paired + excluded.paired
"""
"""What follows an INSERT of counts."""
_ONE_MAKES_THEM = "SELECT pg_advisory_xact_lock(1)"

Write = Callable[[Any, Sequence[Start | Complete]], int]
"""Writes messages through a cursor, and says how many of them were new."""


def run(write: Write) -> None:
    """Until it is ended. Nothing is lost: what was not committed in PostgreSQL is read again, and known by its id."""
    connection = psycopg2.connect(DATABASE_URL)
    with connection, connection.cursor() as cursor:
        cursor.execute(_ONE_MAKES_THEM)
        cursor.execute(_TABLES)
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=KAFKA,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        value_deserializer=parse,
    )
    progress = Progress()
    while True:
        polled = consumer.poll(timeout_ms=1000)
        messages = [record.value for records in polled.values() for record in records]
        if not messages:
            continue
        with connection, connection.cursor() as cursor:
            new = write(cursor, messages)
        with suppress(CommitFailedError):  # somebody else has the partition now: what was written is known there
            consumer.commit()
        progress.done += new
