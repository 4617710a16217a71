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
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    late BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (topic, window_end)
);
COMMENT ON TABLE store.final_pass IS 'When windows with this end were declared final, first and last; late: some have changed since.';
CREATE TABLE store.final_state (
    topic TEXT NOT NULL PRIMARY KEY,
    final_until timestamptz,
    held_by TEXT NOT NULL,
    looked_at timestamptz NOT NULL
);
COMMENT ON TABLE store.final_state IS 'Up to which end the windows of each topic are final, and what keeps the next ones.';
CREATE INDEX final_pass_late ON store.final_pass (topic) WHERE late;
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
