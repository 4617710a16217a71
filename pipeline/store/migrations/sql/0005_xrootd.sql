ALTER TABLE store.transfer
    ADD COLUMN direction TEXT DEFAULT '' NOT NULL,
    ADD COLUMN user_hash TEXT DEFAULT '' NOT NULL;

CREATE FUNCTION report.host_domain(host text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN host ~ '^[0-9.]+$' OR host ~ ':' THEN host ELSE coalesce(
        substring(host FROM
            '[^.]+[.](?:(?:ac|co|com|edu|gob|gov|gouv|mil|net|nom|or|org|res)[.][a-z]{2}|[^.]+)$'),
        host) END
$$;
COMMENT ON FUNCTION report.host_domain(text) IS
    'The domain that a host belongs to: its last two labels, three below such as ac.uk; an address or a bare name is its own.';

CREATE OR REPLACE VIEW report.transfer AS
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
