CREATE FUNCTION report.error_id(scope text, phase text, category text, code text, template text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT left(md5(
        coalesce(scope, '') || chr(31) || coalesce(phase, '') || chr(31) || coalesce(category, '') || chr(31)
        || coalesce(code, '') || chr(31) || coalesce(template, '')
    ), 16)
$$;
COMMENT ON FUNCTION report.error_id(text, text, text, text, text) IS
    'Name of a kind of failure, the same in every store: 16 hexadecimal digits out of what it is made of.';

CREATE VIEW report.error_kind AS
SELECT
    report.error_id(scope, phase, category, code, template) AS id, nullif(scope, '') AS scope,
    nullif(phase, '') AS phase, nullif(category, '') AS category, nullif(code, '') AS code,
    nullif(template, '') AS template
FROM store.error;
COMMENT ON VIEW report.error_kind IS 'Every kind of failure that was ever seen.';
COMMENT ON COLUMN report.error_kind.scope IS 'Where it failed, as FTS says.';
COMMENT ON COLUMN report.error_kind.phase IS 'When it failed, as FTS says.';
COMMENT ON COLUMN report.error_kind.category IS 'Name of the error code.';
COMMENT ON COLUMN report.error_kind.code IS 'Error code: errno now, a GridFTP code in old messages.';
COMMENT ON COLUMN report.error_kind.template IS 'The message with hosts, paths, names, numbers and ids masked.';

-- Windows first, so that a condition on window_start reads only the transfers of these windows.
CREATE VIEW report.host_10m AS
SELECT w.window_start, m.technology, m.host, m.site, m.country, m.status, m.transfers, m.bytes
FROM (SELECT DISTINCT window_start FROM store.link_10m WHERE ok + failed + aborted > 0) AS w
CROSS JOIN LATERAL (
    SELECT k.technology, side.host, side.site, side.country, side.status, count(*) AS transfers,
        least(sum(t.bytes), 9223372036854775807)::bigint AS bytes
    FROM store.transfer AS t
    JOIN store.link AS k ON k.id = t.link_id
    CROSS JOIN LATERAL (VALUES
        (k.src_host, k.src_site, k.src_country, t.src_status, true),
        (k.dst_host, k.dst_site, k.dst_country, t.dst_status, (k.dst_host, k.dst_site, k.dst_country, t.dst_status)
            IS DISTINCT FROM (k.src_host, k.src_site, k.src_country, t.src_status))
    ) AS side(host, site, country, status, counts)
    WHERE t.ended_at >= w.window_start AND t.ended_at < w.window_start + interval '10 minutes' AND side.counts
    GROUP BY k.technology, side.host, side.site, side.country, side.status
) AS m;
COMMENT ON VIEW report.host_10m IS 'Hosts of finished transfers and how the topology placed them, in windows of 10 minutes.';
COMMENT ON COLUMN report.host_10m.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC.';
COMMENT ON COLUMN report.host_10m.host IS 'Host at either side.';
COMMENT ON COLUMN report.host_10m.site IS 'Site that the host was found at; unknown for none.';
COMMENT ON COLUMN report.host_10m.country IS 'Country of the site; unknown for none.';
COMMENT ON COLUMN report.host_10m.status IS 'How it was found: message, endpoint, host, domain, ambiguous or unknown.';
COMMENT ON COLUMN report.host_10m.transfers IS 'Transfers with this host at either side; one between two hosts counts for both.';

CREATE VIEW report.topology_host AS
WITH in_use AS (
    SELECT document FROM store.topology ORDER BY revision DESC LIMIT 1
), site AS MATERIALIZED (
    SELECT DISTINCT ON (1) p.place ->> 'name' AS name, p.place ->> 'country' AS country
    FROM in_use AS t CROSS JOIN LATERAL jsonb_array_elements(coalesce(t.document -> 'sites', '[]')) AS p(place)
)
SELECT
    lower(h.entry ->> 'host') AS host, h.entry ->> 'site' AS site, s.country,
    (h.entry ->> 'valid_from')::timestamptz AS valid_from, (h.entry ->> 'valid_to')::timestamptz AS valid_to
FROM in_use AS t
CROSS JOIN LATERAL jsonb_array_elements(coalesce(t.document -> 'hosts', '[]')) AS h(entry)
LEFT JOIN site AS s ON s.name = h.entry ->> 'site';
COMMENT ON VIEW report.topology_host IS 'Hosts that the topology in use names, each time that it says where one stands.';
COMMENT ON COLUMN report.topology_host.host IS 'Host name.';
COMMENT ON COLUMN report.topology_host.site IS 'Site it stands at.';
COMMENT ON COLUMN report.topology_host.country IS 'Country of the site; NULL where the topology tells none.';
COMMENT ON COLUMN report.topology_host.valid_from IS 'Since when; NULL: from the beginning.';
COMMENT ON COLUMN report.topology_host.valid_to IS 'Until when; NULL: still.';

CREATE TABLE store.backlog (
    sampled_at timestamptz NOT NULL,
    kind TEXT NOT NULL,
    broker TEXT NOT NULL,
    name TEXT NOT NULL,
    depth BIGINT,
    oldest_s DOUBLE PRECISION,
    consumers BIGINT,
    expired BIGINT,
    dead BIGINT,
    PRIMARY KEY (sampled_at, kind, broker, name)
);
COMMENT ON TABLE store.backlog IS 'What waited in each queue of a broker and for each consumer group of Kafka, as it was sampled.';

CREATE VIEW report.backlog AS
SELECT kind, broker, name, sampled_at, depth, oldest_s, consumers, expired, dead FROM store.backlog;
COMMENT ON VIEW report.backlog IS 'What waited in each queue of a broker and for each consumer group of Kafka, as it was sampled.';
COMMENT ON COLUMN report.backlog.kind IS 'queue: of a broker; group: a consumer group of Kafka.';
COMMENT ON COLUMN report.backlog.broker IS 'Address of the broker, or of Kafka.';
COMMENT ON COLUMN report.backlog.name IS 'Name of the queue, or of the group.';
COMMENT ON COLUMN report.backlog.sampled_at IS 'When it was sampled.';
COMMENT ON COLUMN report.backlog.depth IS 'Messages that waited: of a group its lag; NULL: the queue did not exist.';
COMMENT ON COLUMN report.backlog.oldest_s IS 'Age of the oldest one in seconds; NULL: not known.';
COMMENT ON COLUMN report.backlog.consumers IS 'Consumers of the queue; NULL: not known.';
COMMENT ON COLUMN report.backlog.expired IS 'Messages that the broker dropped since it started because nobody read them in time; NULL: not known.';
COMMENT ON COLUMN report.backlog.dead IS 'Messages in its dead letter queue; NULL: not known.';

GRANT SELECT ON report.error_kind, report.host_10m, report.topology_host, report.backlog
TO transferscope_reader, transferscope_operator;
