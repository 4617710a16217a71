DROP VIEW report.alert;
DROP TABLE store.alert, store.outbox;
DROP VIEW report.transfer;
CREATE VIEW report.transfer AS
SELECT
    k.technology, nullif(t.fts, '') AS fts, coalesce(nullif(t.agent, ''), nullif(s.agent, '')) AS agent_fqdn,
    t.transfer_id, s.transfer_id AS start_transfer_id, nullif(t.job_id, '') AS job_id, nullif(t.file_id, '') AS file_id,
    k.vo, t.activity, nullif(k.channel, '') AS channel, nullif(t.channel_type, '') AS channel_type,
    nullif(t.protocol, '') AS protocol, nullif(t.ipver, '') AS ipver,
    k.src_host, k.dst_host, nullif(t.src_url, '') AS src_url, nullif(t.dst_url, '') AS dst_url,
    k.src_site, k.dst_site, k.src_country, k.dst_country, t.src_endpoint, t.dst_endpoint, t.src_status, t.dst_status,
    t.topology_revision, t.start_at AS start_message_at, t.started_at, t.ended_at, t.state, t.bytes, t.file_size,
    t.streaming_ms, t.total_ms, t.srm_prep_ms, t.srm_fin_ms, t.checksum_src_ms, t.checksum_dst_ms,
    (SELECT f.wait_ms FROM store.file_state AS f
     WHERE f.key_order = t.key_order AND f.key_hash = t.key_hash AND f.fts = t.fts AND f.wait_ms IS NOT NULL
         AND f.event_at >= t.started_at - interval '1 minute' AND f.event_at <= t.ended_at
     ORDER BY f.event_at DESC, f.dedupe LIMIT 1) AS queue_wait_ms,
    nullif(t.error_scope, '') AS error_scope, nullif(t.error_phase, '') AS error_phase,
    nullif(t.error_category, '') AS error_category, nullif(t.error_code, '') AS error_code,
    nullif(e.template, '') AS error_template, nullif(t.error_message, '') AS error_message,
    t.retry, t.retry_max, nullif(t.user_hash, '') AS user_hash, t.received_at, s.ref AS start_ref, t.ref AS complete_ref,
    nullif(t.direction, '') AS direction,
    CASE
        WHEN k.src_site <> 'unknown' AND k.dst_site <> 'unknown' AND k.src_site = k.dst_site THEN 'local'
        WHEN k.src_site <> 'unknown' AND k.dst_site <> 'unknown' THEN 'remote'
        WHEN k.src_host = 'unknown' OR k.dst_host = 'unknown' THEN NULL
        WHEN report.host_domain(k.src_host) = report.host_domain(k.dst_host) THEN 'local'
        ELSE 'remote'
    END AS locality
FROM store.transfer AS t
JOIN store.link AS k ON k.id = t.link_id
LEFT JOIN store.start AS s ON s.event_at = t.start_at AND s.dedupe = t.start_dedupe
LEFT JOIN store.error AS e ON e.id = t.error_id;
COMMENT ON COLUMN report.transfer.direction IS 'xrootd: read or write, as the client did (of a third-party copy: read when the destination pulled, write when the source pushed); unknown when no bytes moved. NULL for FTS.';
COMMENT ON COLUMN report.transfer.locality IS 'local or remote: by the sites where both are known, else by report.host_domain of both hosts; NULL where a host is unknown.';
COMMENT ON COLUMN report.transfer.transfer_id IS 'Id in the complete; empty for xrootd, whose records have none.';
COMMENT ON COLUMN report.transfer.started_at IS 'When this attempt or file access began: tr_timestamp_start, of xrootd the start of the record.';
COMMENT ON COLUMN report.transfer.ended_at IS 'Event time: tr_timestamp_complete, else the latest time in the message; of xrootd the end of the record.';
COMMENT ON VIEW report.transfer IS 'One row a finished attempt, with the start that it is paired with.';
COMMENT ON COLUMN report.transfer.src_endpoint IS 'VO endpoint at the source, unknown where nothing tells.';
COMMENT ON COLUMN report.transfer.dst_endpoint IS 'VO endpoint at the destination, unknown where nothing tells.';
COMMENT ON COLUMN report.transfer.src_status IS 'How the source was found: message, endpoint, host, domain, ambiguous or unknown.';
COMMENT ON COLUMN report.transfer.dst_status IS 'How the destination was found: message, endpoint, host, domain, ambiguous or unknown.';
COMMENT ON COLUMN report.transfer.topology_revision IS 'The topology that sites, countries and endpoints are of.';
COMMENT ON COLUMN report.transfer.start_message_at IS 'Time of the paired start message; NULL when none is paired.';
COMMENT ON COLUMN report.transfer.queue_wait_ms IS 'From submission to start, out of state messages; NULL where none tells.';
COMMENT ON COLUMN report.transfer.error_template IS 'The error message with its variable parts masked; NULL unless it failed.';
COMMENT ON COLUMN report.transfer.user_hash IS 'Keyed hash of the user; NULL when no key is configured.';
COMMENT ON COLUMN report.transfer.received_at IS 'Receipt time of the complete: the broker''s timestamp, else the bridge''s clock.';
COMMENT ON COLUMN report.transfer.start_ref IS 'Where the start message can be read again: topic-partition-offset in Kafka, or file:line.';
COMMENT ON COLUMN report.transfer.complete_ref IS 'Where the complete message can be read again: topic-partition-offset in Kafka, or file:line.';
GRANT SELECT ON report.transfer TO transferscope_operator;
