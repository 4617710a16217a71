CREATE TABLE store.progress (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    origin TEXT NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition, origin)
);
COMMENT ON TABLE store.progress IS 'The newest receipt time that is committed of each broker in each partition of Kafka.';
CREATE TABLE store.final_pass (
    topic TEXT NOT NULL,
    window_end timestamptz NOT NULL,
    first_at timestamptz,
    last_at timestamptz,
    changed BOOLEAN DEFAULT true NOT NULL,
    PRIMARY KEY (topic, window_end)
);
COMMENT ON TABLE store.final_pass IS 'When windows with this end were declared final, first and last; changed: some have changed since.';
CREATE TABLE store.final_state (
    topic TEXT NOT NULL PRIMARY KEY,
    final_until timestamptz,
    held_by TEXT NOT NULL,
    looked_at timestamptz NOT NULL
);
COMMENT ON TABLE store.final_state IS 'Up to which end the windows of each topic are final, and what keeps the next ones.';
CREATE INDEX final_pass_changed ON store.final_pass (topic, window_end) WHERE changed;
-- Windows that are there already were never declared.
INSERT INTO store.final_pass (topic, window_end)
SELECT DISTINCT CASE k.technology WHEN 'fts' THEN 'fts.transfer' ELSE 'xrootd.transfer' END, w.window_end
FROM (
    SELECT link_id, window_start + interval '10 minutes' AS window_end FROM store.link_10m
    UNION ALL SELECT link_id, window_start + interval '1 hour' FROM store.link_1h
    UNION ALL SELECT link_id, window_start + interval '1 day' FROM store.link_1d
) AS w JOIN store.link AS k ON k.id = w.link_id;
CREATE VIEW report.finality AS
SELECT topic, final_until, held_by, looked_at FROM store.final_state;
COMMENT ON VIEW report.finality IS 'Up to when windows are final, by the Kafka topic that their messages come from.';
COMMENT ON COLUMN report.finality.topic IS 'fts.transfer: windows of technology fts; xrootd.transfer: of xrootd and xrootd-tpc.';
COMMENT ON COLUMN report.finality.final_until IS 'Windows that end at or before it were declared final; NULL: none yet.';
COMMENT ON COLUMN report.finality.held_by IS 'What kept the next windows from being final when it was last looked at.';
COMMENT ON COLUMN report.finality.looked_at IS 'When it was last looked at.';
GRANT SELECT ON report.finality TO transferscope_reader, transferscope_operator;
-- Of the statement, not of the transaction: what waited for a pass to end is newer than it.
ALTER TABLE store.link_10m ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
ALTER TABLE store.link_1h ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
ALTER TABLE store.link_1d ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
ALTER TABLE store.flow_10m ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
ALTER TABLE store.flow_1h ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
ALTER TABLE store.flow_1d ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
