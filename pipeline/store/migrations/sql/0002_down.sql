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
    NULL::bigint AS queue_wait_ms,
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
    s.event_at < now() - store.lost_after() AS lost, false AS closed_by_state
FROM store.start AS s JOIN store.link AS k ON k.id = s.link_id
WHERE NOT s.paired;

CREATE OR REPLACE VIEW report.link_bins AS
SELECT
    h.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, k.src_country, k.dst_country,
    (ARRAY['streaming', 'total', 'srm_prep', 'srm_fin', 'checksum_src', 'checksum_dst', 'throughput'])[u.code / 512 + 1]
        AS stage,
    u.code % 512 AS bin, u.n AS count
FROM store.link_hist AS h JOIN store.link AS k ON k.id = h.link_id
CROSS JOIN LATERAL unnest(h.codes, h.counts) AS u(code, n);

DROP VIEW report.file_state, report.file_state_10m;
DROP TABLE store.file_state_10m, store.file_state;
