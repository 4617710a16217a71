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
    NULL::text AS error_template, nullif(t.error_message, '') AS error_message,
    t.retry, t.retry_max, NULL::text AS user_hash, t.received_at, s.ref AS start_ref, t.ref AS complete_ref
FROM store.transfer AS t
JOIN store.link AS k ON k.id = t.link_id
LEFT JOIN store.start AS s ON s.event_at = t.start_at AND s.dedupe = t.start_dedupe;

CREATE OR REPLACE VIEW report.in_flight AS
SELECT
    nullif(s.fts, '') AS fts, nullif(s.agent, '') AS agent_fqdn, s.transfer_id,
    nullif(s.job_id, '') AS job_id, nullif(s.file_id, '') AS file_id, k.vo, s.activity, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, s.event_at AS started_at,
    s.event_at < now() - store.lost_after() AND NOT closed.by_state AS lost, closed.by_state AS closed_by_state
FROM store.start AS s JOIN store.link AS k ON k.id = s.link_id
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM store.file_state AS f
        WHERE f.key_order = s.key_order AND f.key_hash = s.key_hash AND f.event_at >= s.event_at
            AND (f.fts = s.fts OR f.fts = '' OR s.fts = '') AND f.state IN ('FINISHED', 'FAILED', 'CANCELED')
    ) AS by_state
) AS closed
WHERE NOT s.paired;
COMMENT ON COLUMN report.in_flight.lost IS 'Older than the setting lost_after_hours at the moment of reading, and not closed by a state message.';
COMMENT ON COLUMN report.in_flight.closed_by_state IS 'A state message that is not older than the start says FINISHED, FAILED or CANCELED.';

CREATE OR REPLACE VIEW report.link_bins AS
SELECT
    h.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, k.src_country, k.dst_country,
    (ARRAY['streaming', 'total', 'srm_prep', 'srm_fin', 'checksum_src', 'checksum_dst', 'throughput',
        'queue_wait', 'staging'])[u.code / 512 + 1]
        AS stage,
    u.code % 512 AS bin, u.n AS count
FROM store.link_hist AS h JOIN store.link AS k ON k.id = h.link_id
CROSS JOIN LATERAL unnest(h.codes, h.counts) AS u(code, n);

CREATE VIEW report.file_state AS
SELECT
    nullif(f.fts, '') AS fts, f.job_id, f.file_id, k.vo, k.src_host, k.dst_host, f.state,
    nullif(f.job_state, '') AS job_state, nullif(f.reason, '') AS reason, f.event_at, f.submitted_at, f.wait_ms,
    f.staging_ms, f.retry, f.received_at, f.ref
FROM store.file_state AS f JOIN store.link AS k ON k.id = f.link_id;
COMMENT ON VIEW report.file_state IS 'One row a state message: a file of a job reached a state.';
COMMENT ON COLUMN report.file_state.event_at IS 'timestamp of the message: when it reached the state.';
COMMENT ON COLUMN report.file_state.submitted_at IS 'When the file was submitted; NULL where the message does not say.';
COMMENT ON COLUMN report.file_state.wait_ms IS 'Of an ACTIVE one: since its submission or, if later, the end of its staging.';
COMMENT ON COLUMN report.file_state.staging_ms IS 'Of an ACTIVE one: how long it was brought from tape.';
COMMENT ON COLUMN report.file_state.ref IS 'Where the message can be read again: topic-partition-offset in Kafka, or file:line.';

CREATE VIEW report.file_state_10m AS
SELECT
    w.window_start, nullif(k.fts, '') AS fts, k.vo, k.src_host, k.dst_host, w.state, w.count,
    w.wait_count, w.wait_sum, w.wait_min, w.wait_max,
    CASE WHEN w.wait_count > 0 THEN
        store.link_histogram(ARRAY[w.link_id], w.window_start, w.window_start + interval '10 minutes', 7)
    ELSE '{}' END AS wait_hist,
    w.staging_count, w.staging_sum, w.staging_min, w.staging_max,
    CASE WHEN w.staging_count > 0 THEN
        store.link_histogram(ARRAY[w.link_id], w.window_start, w.window_start + interval '10 minutes', 8)
    ELSE '{}' END AS staging_hist,
    w.updated_at
FROM store.file_state_10m AS w JOIN store.link AS k ON k.id = w.link_id;
COMMENT ON VIEW report.file_state_10m IS 'State messages in windows of 10 minutes by link and state; queue wait and staging time of ACTIVE ones.';
COMMENT ON COLUMN report.file_state_10m.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC.';
COMMENT ON COLUMN report.file_state_10m.state IS 'file_state of the message; CANCELED ones that never became ACTIVE were cancelled before they started.';
COMMENT ON COLUMN report.file_state_10m.wait_sum IS 'From submission, or the end of staging, to ACTIVE, ms.';
COMMENT ON COLUMN report.file_state_10m.wait_hist IS 'Bins of report.hist_edge, element 1 is bin 0.';
COMMENT ON COLUMN report.file_state_10m.staging_sum IS 'From the beginning to the end of staging, ms.';
COMMENT ON COLUMN report.file_state_10m.staging_hist IS 'Bins of report.hist_edge, element 1 is bin 0.';
COMMENT ON COLUMN report.file_state.job_state IS 'State of the whole job.';
COMMENT ON COLUMN report.file_state.reason IS 'Why, in words of FTS.';
COMMENT ON COLUMN report.file_state.retry IS 'How often it was tried again before.';
COMMENT ON COLUMN report.file_state.received_at IS 'Receipt time: the broker''s timestamp, else the bridge''s clock.';
COMMENT ON COLUMN report.file_state_10m.count IS 'State messages.';
COMMENT ON COLUMN report.file_state_10m.wait_count IS 'ACTIVE ones whose wait is known.';
COMMENT ON COLUMN report.file_state_10m.wait_min IS 'The shortest wait, ms.';
COMMENT ON COLUMN report.file_state_10m.wait_max IS 'The longest wait, ms.';
COMMENT ON COLUMN report.file_state_10m.staging_count IS 'ACTIVE ones that were brought from tape.';
COMMENT ON COLUMN report.file_state_10m.staging_min IS 'The shortest staging, ms.';
COMMENT ON COLUMN report.file_state_10m.staging_max IS 'The longest staging, ms.';
COMMENT ON COLUMN report.file_state_10m.updated_at IS 'When the window last changed.';
GRANT SELECT ON report.file_state TO transferscope_operator;
GRANT SELECT ON report.file_state_10m TO transferscope_reader, transferscope_operator;
