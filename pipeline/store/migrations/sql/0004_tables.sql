CREATE TABLE store.flow (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    key_hash UUID NOT NULL,
    technology TEXT DEFAULT '' NOT NULL,
    fts TEXT DEFAULT '' NOT NULL,
    vo TEXT DEFAULT '' NOT NULL,
    activity TEXT DEFAULT '' NOT NULL,
    src_site TEXT DEFAULT '' NOT NULL,
    dst_site TEXT DEFAULT '' NOT NULL,
    src_endpoint TEXT DEFAULT '' NOT NULL,
    dst_endpoint TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key_hash)
);
COMMENT ON TABLE store.flow IS 'The distinct keys of flow windows: an activity from one VO endpoint to another.';
CREATE TABLE store.error (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    key_hash UUID NOT NULL,
    scope TEXT DEFAULT '' NOT NULL,
    phase TEXT DEFAULT '' NOT NULL,
    category TEXT DEFAULT '' NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    template TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key_hash)
);
COMMENT ON TABLE store.error IS 'The distinct kinds of failure: scope, phase, category, code and message template.';
CREATE TABLE store.flow_10m (
    window_start timestamptz NOT NULL,
    flow_id INTEGER NOT NULL,
    started BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    aborted BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    bytes_ok BIGINT NOT NULL,
    bytes_moved BIGINT NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    stale BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (window_start, flow_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.flow_10m IS 'Base windows of flows, ten minutes wide.';
CREATE TABLE store.flow_1h (
    window_start timestamptz NOT NULL,
    flow_id INTEGER NOT NULL,
    started BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    aborted BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    bytes_ok BIGINT NOT NULL,
    bytes_moved BIGINT NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    stale BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (window_start, flow_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.flow_1h IS 'Sums of flow_10m by hour.';
CREATE TABLE store.flow_1d (
    window_start timestamptz NOT NULL,
    flow_id INTEGER NOT NULL,
    started BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    aborted BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    bytes_ok BIGINT NOT NULL,
    bytes_moved BIGINT NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    stale BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (window_start, flow_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.flow_1d IS 'Sums of flow_10m by day.';
CREATE TABLE store.error_10m (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    error_id INTEGER NOT NULL,
    count BIGINT NOT NULL,
    sample_at timestamptz NOT NULL,
    sample_dedupe BIGINT NOT NULL,
    sample TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (window_start, link_id, error_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.error_10m IS 'Failed transfers of a link by kind of failure, with the message of the first of them.';
ALTER TABLE store.start ADD COLUMN flow_id INTEGER;
ALTER TABLE store.transfer ADD COLUMN flow_id INTEGER, ADD COLUMN error_id INTEGER;
-- Rows that are there already have no flow and no kind of failure: recompute gives them both.
UPDATE store.link_10m SET stale = true;
UPDATE store.link_1h SET stale = true;
UPDATE store.link_1d SET stale = true;
