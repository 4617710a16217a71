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
    NULL::bigint AS queue_wait_ms,
    nullif(t.error_scope, '') AS error_scope, nullif(t.error_phase, '') AS error_phase,
    nullif(t.error_category, '') AS error_category, nullif(t.error_code, '') AS error_code,
    NULL::text AS error_template, nullif(t.error_message, '') AS error_message,
    t.retry, t.retry_max, NULL::text AS user_hash, t.received_at, s.ref AS start_ref, t.ref AS complete_ref
FROM store.transfer AS t
JOIN store.link AS k ON k.id = t.link_id
LEFT JOIN store.start AS s ON s.event_at = t.start_at AND s.dedupe = t.start_dedupe;
COMMENT ON VIEW report.transfer IS 'One row a finished attempt, with the start that it is paired with.';
COMMENT ON COLUMN report.transfer.start_message_at IS 'Time of the paired start message; NULL when none is paired.';
COMMENT ON COLUMN report.transfer.started_at IS 'tr_timestamp_start: when the process of this attempt began.';
COMMENT ON COLUMN report.transfer.ended_at IS 'Event time: tr_timestamp_complete, else the latest time in the message.';
COMMENT ON COLUMN report.transfer.queue_wait_ms IS 'From submission to start, out of state messages; NULL where none tells.';
COMMENT ON COLUMN report.transfer.error_template IS 'The error message with its variable parts masked; NULL until classified.';
COMMENT ON COLUMN report.transfer.user_hash IS 'Keyed hash of the user; NULL when no key is configured.';
COMMENT ON COLUMN report.transfer.complete_ref IS 'Where the complete message can be read again: topic-partition-offset in Kafka, or file:line.';

CREATE VIEW report.link_bins AS
SELECT
    h.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, k.src_country, k.dst_country,
    (ARRAY['streaming', 'total', 'srm_prep', 'srm_fin', 'checksum_src', 'checksum_dst', 'throughput'])[u.code / 512 + 1]
        AS stage,
    u.code % 512 AS bin, u.n AS count
FROM store.link_hist AS h JOIN store.link AS k ON k.id = h.link_id
CROSS JOIN LATERAL unnest(h.codes, h.counts) AS u(code, n);
COMMENT ON VIEW report.link_bins IS
    'Histograms of links in windows of 10 minutes, a row a bin of report.hist_edge: to add them up over many windows and links. Several rows of one bin add up.';

CREATE VIEW report.in_flight AS
SELECT
    nullif(s.fts, '') AS fts, nullif(s.agent, '') AS agent_fqdn, s.transfer_id,
    nullif(s.job_id, '') AS job_id, nullif(s.file_id, '') AS file_id, k.vo, s.activity, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, s.event_at AS started_at,
    s.event_at < now() - store.lost_after() AS lost, false AS closed_by_state
FROM store.start AS s JOIN store.link AS k ON k.id = s.link_id
WHERE NOT s.paired;
COMMENT ON VIEW report.in_flight IS 'Starts without a complete. lost: older than the setting lost_after_hours.';

CREATE VIEW report.dead_letter AS
SELECT id, topic, reason, detail, received_at, headers, body, replayed_at, kind, ref, died_at FROM store.dead_letter;
COMMENT ON VIEW report.dead_letter IS 'Messages that could not be used: whole, with the reason; replayed_at once they were used after all.';

CREATE VIEW report.freshness AS
SELECT source, last_event_at, last_received_at, last_committed_at FROM store.freshness;
COMMENT ON VIEW report.freshness IS 'The newest that was heard of each FTS instance, or of a topic whose messages name none.';

CREATE VIEW report.source_10m AS
SELECT window_start, source, received, stored, duplicate, dead,
    report.hist_quantile(lateness, 0.5) AS lateness_p50_s, lateness_max_s
FROM store.source_10m;
COMMENT ON VIEW report.source_10m IS 'Messages heard of each source by receipt time: tells "nothing was transferred" from "nothing was received".';

CREATE VIEW report.verify_run AS
SELECT run_at, window_from, window_to, cells, differing, id FROM store.verify_run;
COMMENT ON VIEW report.verify_run IS 'Every verification of windows against the rows below them.';
