"""A Flink SQL job: repetitions dropped, starts joined to completes, windows of any age upserted into PostgreSQL."""

from __future__ import annotations

import os
import time

import psycopg2
from peer import DATABASE_URL, FOLDER, GROUP, KAFKA, TOPIC, WINDOW_MS, Progress
from psycopg2.extensions import parse_dsn
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

_LOOK_S = 0.25
_SETTINGS = {
    "parallelism.default": "2",
    "execution.checkpointing.interval": "10 s",
    "execution.checkpointing.dir": (FOLDER / "checkpoints").as_uri(),
    "io.tmp.dirs": str(FOLDER),
    "pipeline.object-reuse": "true",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "20000",
    "table.exec.state.ttl": "72 h",
}
_COUNTS = "started BIGINT, ok BIGINT, failed BIGINT, aborted BIGINT, `bytes` BIGINT, paired BIGINT"
_LINK = "vo, src_hostname, dst_hostname"

MESSAGES = f"""
CREATE TABLE messages (
    transfer_id STRING, tr_id STRING, file_id BIGINT, job_id STRING, {_LINK.replace(",", " STRING,")} STRING,
    `timestamp` BIGINT, tr_timestamp_start BIGINT, tr_timestamp_complete BIGINT,
    t_final_transfer_state STRING, tr_bt_transfered BIGINT,
    at_ms AS COALESCE(`timestamp`, tr_timestamp_complete), seen AS PROCTIME()
) WITH (
    'connector' = 'kafka', 'topic' = '{TOPIC}', 'properties.bootstrap.servers' = '{KAFKA}',
    'properties.group.id' = '{GROUP}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
)"""
ONCE = """
CREATE TEMPORARY VIEW once AS SELECT * FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY transfer_id, tr_id, at_ms ORDER BY seen) AS place FROM messages
) WHERE place = 1"""
COUNTED = f"""
CREATE TEMPORARY VIEW counted AS
SELECT at_ms, {_LINK}, 1 AS started, 0 AS ok, 0 AS failed, 0 AS aborted, CAST(0 AS BIGINT) AS `bytes`, 0 AS paired
FROM once WHERE transfer_id IS NOT NULL
UNION ALL
SELECT at_ms, {_LINK}, 0, CASE t_final_transfer_state WHEN 'Ok' THEN 1 ELSE 0 END,
    CASE t_final_transfer_state WHEN 'Error' THEN 1 ELSE 0 END,
    CASE WHEN t_final_transfer_state IN ('Ok', 'Error') THEN 0 ELSE 1 END, tr_bt_transfered, 0
FROM once WHERE tr_id IS NOT NULL
UNION ALL
SELECT c.at_ms, c.vo, c.src_hostname, c.dst_hostname, 0, 0, 0, 0, CAST(0 AS BIGINT), 1
FROM (SELECT * FROM once WHERE tr_id IS NOT NULL AND tr_timestamp_start > 0) AS c
JOIN (SELECT * FROM once WHERE transfer_id IS NOT NULL) AS s ON s.file_id = c.file_id AND s.job_id = c.job_id
    AND s.at_ms BETWEEN c.tr_timestamp_start AND c.at_ms"""
LINKS = f"""
CREATE TABLE link_10m (
    window_ms BIGINT, {_LINK.replace(",", " STRING,")} STRING, {_COUNTS},
    PRIMARY KEY (window_ms, {_LINK}) NOT ENFORCED
) WITH (
    'connector' = 'jdbc', 'url' = '{{url}}', 'username' = '{{user}}', 'password' = '{{password}}',
    'table-name' = 'link_10m', 'sink.buffer-flush.max-rows' = '5000', 'sink.buffer-flush.interval' = '1 s'
)"""
INSERT = f"""
INSERT INTO link_10m
SELECT at_ms - MOD(at_ms, {WINDOW_MS}), {_LINK}, SUM(started), SUM(ok), SUM(failed), SUM(aborted), SUM(`bytes`),
    SUM(paired)
FROM counted GROUP BY at_ms - MOD(at_ms, {WINDOW_MS}), {_LINK}"""
POSTGRES = f"""
CREATE TABLE link_10m (
    window_ms bigint, {_LINK.replace(",", " text,")} text, {_COUNTS.replace("`", "")}, PRIMARY KEY (window_ms, {_LINK})
)"""


def password_of(said: dict[str, str]) -> str:
    """JDBC reads no password file."""
    with open(said["passfile"], encoding="utf-8") as file:
        return file.read().strip().rsplit(":", 1)[1]


def main() -> None:
    """Until it is ended, telling meanwhile what the windows hold."""
    said = parse_dsn(DATABASE_URL)
    address = f"jdbc:postgresql://{said['host']}:{said['port']}/{said['dbname']}?reWriteBatchedInserts=true"
    database = psycopg2.connect(DATABASE_URL)
    database.autocommit = True
    with database.cursor() as cursor:
        cursor.execute(POSTGRES)
    os.environ["FLINK_LOG_DIR"] = str(FOLDER)  # else its log grows beside its packages
    configuration = Configuration()
    for name, value in _SETTINGS.items():
        configuration.set_string(name, value)
    jars = os.environ["PEER_JARS"].split(":")
    configuration.set_string("pipeline.jars", ";".join(f"file://{jar}" for jar in jars))
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    table = TableEnvironment.create(settings)
    links = LINKS.format(url=address, user=said["user"], password=password_of(said))
    for statement in (MESSAGES, ONCE, COUNTED, links):
        table.execute_sql(statement)
    job = table.execute_sql(INSERT).get_job_client()
    progress = Progress()
    while True:
        if (status := job.get_job_status().result()).name not in {"INITIALIZING", "CREATED", "RUNNING"}:
            raise SystemExit(f"the job is {status.name}")
        with database.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(started + ok + failed + aborted), 0) FROM link_10m")
            progress.done = int(cursor.fetchone()[0])
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    main()
