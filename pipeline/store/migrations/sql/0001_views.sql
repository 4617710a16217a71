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
COMMENT ON COLUMN report.transfer.start_transfer_id IS 'Id in the paired start; its minute may differ from that of the complete.';
COMMENT ON COLUMN report.transfer.src_endpoint IS 'VO endpoint at the source, unknown where nothing tells.';
COMMENT ON COLUMN report.transfer.dst_endpoint IS 'VO endpoint at the destination, unknown where nothing tells.';
COMMENT ON COLUMN report.transfer.src_status IS 'How the source was found: message, endpoint, host, domain, ambiguous or unknown.';
COMMENT ON COLUMN report.transfer.dst_status IS 'How the destination was found: message, endpoint, host, domain, ambiguous or unknown.';
COMMENT ON COLUMN report.transfer.topology_revision IS 'The topology that sites, countries and endpoints are of.';
COMMENT ON COLUMN report.transfer.start_message_at IS 'Time of the paired start message; NULL when none is paired.';
COMMENT ON COLUMN report.transfer.started_at IS 'tr_timestamp_start: when the process of this attempt began.';
COMMENT ON COLUMN report.transfer.ended_at IS 'Event time: tr_timestamp_complete, else the latest time in the message.';
COMMENT ON COLUMN report.transfer.queue_wait_ms IS 'From submission to start, out of state messages; NULL where none tells.';
COMMENT ON COLUMN report.transfer.error_template IS 'The error message with its variable parts masked; NULL until classified.';
COMMENT ON COLUMN report.transfer.user_hash IS 'Keyed hash of the user; NULL when no key is configured.';
COMMENT ON COLUMN report.transfer.received_at IS 'Receipt time of the complete: the broker''s timestamp, else the bridge''s clock.';
COMMENT ON COLUMN report.transfer.start_ref IS 'Where the start message can be read again: topic-partition-offset in Kafka, or file:line.';
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
COMMENT ON COLUMN report.link_bins.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC.';
COMMENT ON COLUMN report.link_bins.bin IS 'The bin begins at report.hist_edge(bin): ms, for throughput bytes/s.';
COMMENT ON COLUMN report.link_bins.count IS 'Ok transfers in the bin, to be added to those of other rows.';

CREATE VIEW report.in_flight AS
SELECT
    nullif(s.fts, '') AS fts, nullif(s.agent, '') AS agent_fqdn, s.transfer_id,
    nullif(s.job_id, '') AS job_id, nullif(s.file_id, '') AS file_id, k.vo, s.activity, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, s.event_at AS started_at,
    s.event_at < now() - store.lost_after() AS lost, false AS closed_by_state
FROM store.start AS s JOIN store.link AS k ON k.id = s.link_id
WHERE NOT s.paired;
COMMENT ON VIEW report.in_flight IS 'Starts without a complete.';
COMMENT ON COLUMN report.in_flight.started_at IS 'Event time: timestamp of the start message.';
COMMENT ON COLUMN report.in_flight.lost IS 'Older than the setting lost_after_hours, at the moment of reading.';
COMMENT ON COLUMN report.in_flight.closed_by_state IS 'A state message said that it ended.';

CREATE VIEW report.dead_letter AS
SELECT id, topic, reason, detail, received_at, headers, body, replayed_at, kind, ref, died_at FROM store.dead_letter;
COMMENT ON VIEW report.dead_letter IS 'Messages that could not be used: each once, with the reason.';
COMMENT ON COLUMN report.dead_letter.reason IS 'One word of a fixed list: not_json, no_id, too_old, ...';
COMMENT ON COLUMN report.dead_letter.detail IS 'A sentence that says what is wrong.';
COMMENT ON COLUMN report.dead_letter.received_at IS 'Receipt time of the message; NULL in replayed files that do not say.';
COMMENT ON COLUMN report.dead_letter.headers IS 'Every header of the broker.';
COMMENT ON COLUMN report.dead_letter.body IS 'The body as it came; its first MiB when it was too large.';
COMMENT ON COLUMN report.dead_letter.replayed_at IS 'When the message was used after all.';
COMMENT ON COLUMN report.dead_letter.ref IS 'Where the message can be read again: topic-partition-offset in Kafka, or file:line.';
COMMENT ON COLUMN report.dead_letter.died_at IS 'When it was found unusable.';

CREATE VIEW report.freshness AS
SELECT source, last_event_at, last_received_at, last_committed_at FROM store.freshness;
COMMENT ON VIEW report.freshness IS 'The newest that was heard of each FTS instance, or of a topic whose messages name none.';
COMMENT ON COLUMN report.freshness.last_event_at IS 'The latest event time.';
COMMENT ON COLUMN report.freshness.last_received_at IS 'The latest receipt time.';
COMMENT ON COLUMN report.freshness.last_committed_at IS 'When a message of this source was last committed.';

CREATE VIEW report.source_10m AS
SELECT window_start, source, received, stored, duplicate, dead,
    report.hist_quantile(lateness, 0.5) AS lateness_p50_s, lateness_max_s
FROM store.source_10m;
COMMENT ON VIEW report.source_10m IS 'Messages heard of each source by receipt time: tells "nothing was transferred" from "nothing was received".';
COMMENT ON COLUMN report.source_10m.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC, of receipt times.';
COMMENT ON COLUMN report.source_10m.received IS 'Messages received = stored + duplicate + dead.';
COMMENT ON COLUMN report.source_10m.stored IS 'Messages that were new and usable.';
COMMENT ON COLUMN report.source_10m.duplicate IS 'Messages that were there already.';
COMMENT ON COLUMN report.source_10m.dead IS 'Messages that became dead letters.';
COMMENT ON COLUMN report.source_10m.lateness_p50_s IS 'Half of the messages came at most so many seconds after their event time.';
COMMENT ON COLUMN report.source_10m.lateness_max_s IS 'Seconds from event to receipt of the latest message.';

CREATE VIEW report.verify_run AS
SELECT run_at, window_from, window_to, cells, differing, id FROM store.verify_run;
COMMENT ON VIEW report.verify_run IS 'Every verification of windows against the rows below them.';
COMMENT ON COLUMN report.verify_run.run_at IS 'When it ran.';
COMMENT ON COLUMN report.verify_run.window_from IS 'The first window compared begins here.';
COMMENT ON COLUMN report.verify_run.window_to IS 'The last window compared ends here.';
COMMENT ON COLUMN report.verify_run.cells IS 'Cells that were compared.';
COMMENT ON COLUMN report.verify_run.differing IS 'Cells that differed; 0 when all is well.';
