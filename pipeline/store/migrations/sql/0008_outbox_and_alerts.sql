CREATE TABLE store.outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic TEXT NOT NULL,
    ended_at timestamptz[] NOT NULL,
    keys BIGINT[] NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
);
COMMENT ON TABLE store.outbox IS 'Rows that are still to be published in Kafka, as their keys: one line a batch and topic.';
COMMENT ON COLUMN store.outbox.keys IS 'transfers: dedupe, beside the ended_at of the same place; dead-letters and alerts: id, and ended_at is empty.';

CREATE TABLE store.alert (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    value DOUBLE PRECISION NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    silenced_until timestamptz,
    detail TEXT NOT NULL
);
CREATE UNIQUE INDEX alert_open ON store.alert (rule, subject) WHERE cleared_at IS NULL;
COMMENT ON TABLE store.alert IS 'What rules found wrong, from when to when; open while cleared_at is NULL.';

CREATE VIEW report.alert AS
SELECT id, rule, subject, raised_at, cleared_at, value, threshold, silenced_until, detail FROM store.alert;
COMMENT ON VIEW report.alert IS 'What rules found wrong, from when to when. A rule has at most one open alert for a subject.';
COMMENT ON COLUMN report.alert.rule IS 'Name of the rule that raised it.';
COMMENT ON COLUMN report.alert.subject IS 'What it is about, in the terms of the rule.';
COMMENT ON COLUMN report.alert.raised_at IS 'When the rule first found it.';
COMMENT ON COLUMN report.alert.cleared_at IS 'When the rule found it well again; NULL: open.';
COMMENT ON COLUMN report.alert.value IS 'What the rule measured when it raised the alert, in the unit of the rule.';
COMMENT ON COLUMN report.alert.threshold IS 'What it compared the value with, in the same unit.';
COMMENT ON COLUMN report.alert.silenced_until IS 'Nobody is notified before this; NULL: not silenced.';
COMMENT ON COLUMN report.alert.detail IS 'A sentence for people.';

GRANT SELECT ON report.alert TO transferscope_reader, transferscope_operator;

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
    END AS locality,
    t.dedupe
FROM store.transfer AS t
JOIN store.link AS k ON k.id = t.link_id
LEFT JOIN store.start AS s ON s.event_at = t.start_at AND s.dedupe = t.start_dedupe
LEFT JOIN store.error AS e ON e.id = t.error_id;
COMMENT ON COLUMN report.transfer.dedupe IS 'With ended_at: what tells this attempt from all others, for ever.';
