CREATE TABLE store.file_state (
    event_at timestamptz NOT NULL,
    dedupe BIGINT NOT NULL,
    key_order BIGINT NOT NULL,
    key_hash BIGINT NOT NULL,
    link_id INTEGER NOT NULL,
    fts TEXT DEFAULT '' NOT NULL,
    job_id TEXT DEFAULT '' NOT NULL,
    file_id TEXT DEFAULT '' NOT NULL,
    state TEXT DEFAULT '' NOT NULL,
    job_state TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    submitted_at timestamptz,
    wait_ms BIGINT,
    staging_ms BIGINT,
    retry BIGINT,
    received_at timestamptz NOT NULL,
    ref TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (event_at, dedupe)
)
PARTITION BY RANGE (event_at);
CREATE INDEX file_state_key ON store.file_state (key_order, key_hash);
COMMENT ON TABLE store.file_state IS 'Every state message once, by day of its event time. Its link has hosts alone.';

CREATE TABLE store.file_state_10m (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    count BIGINT NOT NULL,
    wait_count BIGINT NOT NULL,
    wait_sum BIGINT NOT NULL,
    wait_min BIGINT,
    wait_max BIGINT,
    staging_count BIGINT NOT NULL,
    staging_sum BIGINT NOT NULL,
    staging_min BIGINT,
    staging_max BIGINT,
    updated_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (window_start, link_id, state)
)
PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.file_state_10m IS 'State messages by link and state, ten minutes wide.';
