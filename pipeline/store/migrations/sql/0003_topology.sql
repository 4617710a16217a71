ALTER TABLE store.topology ADD COLUMN confirmed_at timestamptz DEFAULT now() NOT NULL;
UPDATE store.topology SET confirmed_at = loaded_at;
CREATE TABLE store.topology_copy (
    address TEXT NOT NULL,
    etag TEXT DEFAULT '' NOT NULL,
    last_modified TEXT DEFAULT '' NOT NULL,
    content BYTEA NOT NULL,
    fetched_at timestamptz DEFAULT now() NOT NULL,
    confirmed_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (address)
);
COMMENT ON TABLE store.topology_copy IS 'The last good copy of each address that topologies are loaded from.';

CREATE VIEW report.topology AS
SELECT revision, source, loaded_at, confirmed_at FROM store.topology;
COMMENT ON VIEW report.topology IS 'Every topology that was loaded; the one with the highest revision is in use.';
COMMENT ON COLUMN report.topology.revision IS 'Rising number; transfers name the one that enriched them.';
COMMENT ON COLUMN report.topology.source IS 'Files and addresses that it was made of.';
COMMENT ON COLUMN report.topology.loaded_at IS 'When it came into use.';
COMMENT ON COLUMN report.topology.confirmed_at IS 'When a load last found it to be so; its age counts from here.';

-- Windows first, so that a condition on window_start reads only the transfers of these windows.
CREATE VIEW report.mapping_10m AS
SELECT w.window_start, m.technology, m.status, m.hosts, m.transfers
FROM (SELECT DISTINCT window_start FROM store.link_10m WHERE ok + failed + aborted > 0) AS w
CROSS JOIN LATERAL (
    SELECT k.technology, side.status, count(DISTINCT side.host) AS hosts, sum(side.is_first)::bigint AS transfers
    FROM store.transfer AS t
    JOIN store.link AS k ON k.id = t.link_id
    CROSS JOIN LATERAL (VALUES
        (k.src_host, t.src_status, 1),
        (k.dst_host, t.dst_status, (t.dst_status <> t.src_status)::int)
    ) AS side(host, status, is_first)
    WHERE t.ended_at >= w.window_start AND t.ended_at < w.window_start + interval '10 minutes'
    GROUP BY k.technology, side.status
) AS m;
COMMENT ON VIEW report.mapping_10m IS 'How the sides of finished transfers were found in the topology, in windows of 10 minutes.';
COMMENT ON COLUMN report.mapping_10m.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC.';
COMMENT ON COLUMN report.mapping_10m.status IS 'How a side was found: message, endpoint, host, domain, ambiguous or unknown.';
COMMENT ON COLUMN report.mapping_10m.hosts IS 'Distinct hosts that were found so, at either side.';
COMMENT ON COLUMN report.mapping_10m.transfers IS 'Transfers of which a side was found so: one whose sides differ counts under both.';

GRANT SELECT ON report.topology, report.mapping_10m TO transferscope_reader, transferscope_operator;
