CREATE TABLE store.dead_letter (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    identity TEXT NOT NULL,
    kind TEXT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    received_at timestamptz,
    headers JSONB NOT NULL,
    body BYTEA NOT NULL,
    ref TEXT DEFAULT '' NOT NULL,
    died_at timestamptz DEFAULT now() NOT NULL,
    replayed_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (identity)
);
COMMENT ON TABLE store.dead_letter IS 'Messages that could not be used, whole, each once, with the reason.';
CREATE TABLE store.freshness (
    source TEXT NOT NULL,
    last_event_at timestamptz,
    last_received_at timestamptz,
    last_committed_at timestamptz NOT NULL,
    PRIMARY KEY (source)
);
COMMENT ON TABLE store.freshness IS 'The newest that was heard of each source.';
CREATE TABLE store.link (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    key_hash UUID NOT NULL,
    technology TEXT DEFAULT '' NOT NULL,
    fts TEXT DEFAULT '' NOT NULL,
    vo TEXT DEFAULT '' NOT NULL,
    channel TEXT DEFAULT '' NOT NULL,
    src_host TEXT DEFAULT '' NOT NULL,
    dst_host TEXT DEFAULT '' NOT NULL,
    src_site TEXT DEFAULT '' NOT NULL,
    dst_site TEXT DEFAULT '' NOT NULL,
    src_country TEXT DEFAULT '' NOT NULL,
    dst_country TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key_hash)
);
COMMENT ON TABLE store.link IS 'The distinct keys of link windows; a hash is unique because texts from messages can be of any length.';
CREATE TABLE store.link_10m (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    started BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    aborted BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    bytes_ok BIGINT NOT NULL,
    bytes_moved BIGINT NOT NULL,
    interval_none BIGINT NOT NULL,
    interval_empty BIGINT NOT NULL,
    interval_ignored BIGINT NOT NULL,
    streaming_count BIGINT NOT NULL,
    streaming_sum BIGINT NOT NULL,
    streaming_min BIGINT,
    streaming_max BIGINT,
    total_count BIGINT NOT NULL,
    total_sum BIGINT NOT NULL,
    total_min BIGINT,
    total_max BIGINT,
    srm_prep_count BIGINT NOT NULL,
    srm_prep_sum BIGINT NOT NULL,
    srm_prep_min BIGINT,
    srm_prep_max BIGINT,
    srm_fin_count BIGINT NOT NULL,
    srm_fin_sum BIGINT NOT NULL,
    srm_fin_min BIGINT,
    srm_fin_max BIGINT,
    checksum_src_count BIGINT NOT NULL,
    checksum_src_sum BIGINT NOT NULL,
    checksum_src_min BIGINT,
    checksum_src_max BIGINT,
    checksum_dst_count BIGINT NOT NULL,
    checksum_dst_sum BIGINT NOT NULL,
    checksum_dst_min BIGINT,
    checksum_dst_max BIGINT,
    throughput_count BIGINT NOT NULL,
    throughput_sum NUMERIC NOT NULL,
    throughput_min BIGINT,
    throughput_max BIGINT,
    updated_at timestamptz DEFAULT now() NOT NULL,
    stale BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (window_start, link_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.link_10m IS 'Base windows of links, ten minutes wide.';
CREATE TABLE store.link_1d (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    started BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    aborted BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    bytes_ok BIGINT NOT NULL,
    bytes_moved BIGINT NOT NULL,
    interval_none BIGINT NOT NULL,
    interval_empty BIGINT NOT NULL,
    interval_ignored BIGINT NOT NULL,
    streaming_count BIGINT NOT NULL,
    streaming_sum BIGINT NOT NULL,
    streaming_min BIGINT,
    streaming_max BIGINT,
    total_count BIGINT NOT NULL,
    total_sum BIGINT NOT NULL,
    total_min BIGINT,
    total_max BIGINT,
    srm_prep_count BIGINT NOT NULL,
    srm_prep_sum BIGINT NOT NULL,
    srm_prep_min BIGINT,
    srm_prep_max BIGINT,
    srm_fin_count BIGINT NOT NULL,
    srm_fin_sum BIGINT NOT NULL,
    srm_fin_min BIGINT,
    srm_fin_max BIGINT,
    checksum_src_count BIGINT NOT NULL,
    checksum_src_sum BIGINT NOT NULL,
    checksum_src_min BIGINT,
    checksum_src_max BIGINT,
    checksum_dst_count BIGINT NOT NULL,
    checksum_dst_sum BIGINT NOT NULL,
    checksum_dst_min BIGINT,
    checksum_dst_max BIGINT,
    throughput_count BIGINT NOT NULL,
    throughput_sum NUMERIC NOT NULL,
    throughput_min BIGINT,
    throughput_max BIGINT,
    updated_at timestamptz DEFAULT now() NOT NULL,
    stale BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (window_start, link_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.link_1d IS 'Sums of link_10m by day.';
CREATE TABLE store.link_1h (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    started BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    aborted BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    bytes_ok BIGINT NOT NULL,
    bytes_moved BIGINT NOT NULL,
    interval_none BIGINT NOT NULL,
    interval_empty BIGINT NOT NULL,
    interval_ignored BIGINT NOT NULL,
    streaming_count BIGINT NOT NULL,
    streaming_sum BIGINT NOT NULL,
    streaming_min BIGINT,
    streaming_max BIGINT,
    total_count BIGINT NOT NULL,
    total_sum BIGINT NOT NULL,
    total_min BIGINT,
    total_max BIGINT,
    srm_prep_count BIGINT NOT NULL,
    srm_prep_sum BIGINT NOT NULL,
    srm_prep_min BIGINT,
    srm_prep_max BIGINT,
    srm_fin_count BIGINT NOT NULL,
    srm_fin_sum BIGINT NOT NULL,
    srm_fin_min BIGINT,
    srm_fin_max BIGINT,
    checksum_src_count BIGINT NOT NULL,
    checksum_src_sum BIGINT NOT NULL,
    checksum_src_min BIGINT,
    checksum_src_max BIGINT,
    checksum_dst_count BIGINT NOT NULL,
    checksum_dst_sum BIGINT NOT NULL,
    checksum_dst_min BIGINT,
    checksum_dst_max BIGINT,
    throughput_count BIGINT NOT NULL,
    throughput_sum NUMERIC NOT NULL,
    throughput_min BIGINT,
    throughput_max BIGINT,
    updated_at timestamptz DEFAULT now() NOT NULL,
    stale BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (window_start, link_id)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.link_1h IS 'Sums of link_10m by hour.';
CREATE TABLE store.link_hist (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    codes INTEGER[] NOT NULL,
    counts INTEGER[] NOT NULL
)
 PARTITION BY RANGE (window_start);
CREATE INDEX link_hist_link ON store.link_hist (link_id, window_start);
COMMENT ON TABLE store.link_hist IS 'Histograms of base windows as additions: code = stage * 512 + bin. Read through store.link_histogram.';
CREATE TABLE store.setting (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
COMMENT ON TABLE store.setting IS 'What views and writers agree on: lost_after_s, raw_floor_ms.';
CREATE TABLE store.source_10m (
    window_start timestamptz NOT NULL,
    source TEXT NOT NULL,
    received BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    dead BIGINT NOT NULL,
    lateness BIGINT[] NOT NULL,
    lateness_max_s BIGINT,
    PRIMARY KEY (window_start, source)
);
COMMENT ON TABLE store.source_10m IS 'What was heard of each source, by receipt time.';
CREATE TABLE store.start (
    event_at timestamptz NOT NULL,
    dedupe BIGINT NOT NULL,
    key_order BIGINT NOT NULL,
    key_hash BIGINT NOT NULL,
    link_id INTEGER NOT NULL,
    fts TEXT DEFAULT '' NOT NULL,
    agent TEXT DEFAULT '' NOT NULL,
    transfer_id TEXT DEFAULT '' NOT NULL,
    job_id TEXT DEFAULT '' NOT NULL,
    file_id TEXT DEFAULT '' NOT NULL,
    activity TEXT DEFAULT '' NOT NULL,
    src_url TEXT DEFAULT '' NOT NULL,
    dst_url TEXT DEFAULT '' NOT NULL,
    src_rse TEXT DEFAULT '' NOT NULL,
    dst_rse TEXT DEFAULT '' NOT NULL,
    src_token TEXT DEFAULT '' NOT NULL,
    dst_token TEXT DEFAULT '' NOT NULL,
    topology_revision INTEGER NOT NULL,
    received_at timestamptz NOT NULL,
    ref TEXT DEFAULT '' NOT NULL,
    paired BOOLEAN NOT NULL,
    PRIMARY KEY (event_at, dedupe)
)
 PARTITION BY RANGE (event_at);
CREATE INDEX start_key ON store.start (key_order, key_hash);
CREATE INDEX start_unpaired ON store.start (event_at) WHERE NOT paired;
COMMENT ON TABLE store.start IS 'Every start message once, by day of its event time.';
CREATE TABLE store.topology (
    revision INTEGER GENERATED ALWAYS AS IDENTITY,
    loaded_at timestamptz DEFAULT now() NOT NULL,
    source TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    document JSONB NOT NULL,
    PRIMARY KEY (revision)
);
COMMENT ON TABLE store.topology IS 'Every topology that was loaded; rows tell the revision that enriched them.';
CREATE TABLE store.transfer (
    ended_at timestamptz NOT NULL,
    dedupe BIGINT NOT NULL,
    key_order BIGINT NOT NULL,
    key_hash BIGINT NOT NULL,
    link_id INTEGER NOT NULL,
    fts TEXT DEFAULT '' NOT NULL,
    agent TEXT DEFAULT '' NOT NULL,
    transfer_id TEXT DEFAULT '' NOT NULL,
    job_id TEXT DEFAULT '' NOT NULL,
    file_id TEXT DEFAULT '' NOT NULL,
    activity TEXT DEFAULT '' NOT NULL,
    channel_type TEXT DEFAULT '' NOT NULL,
    protocol TEXT DEFAULT '' NOT NULL,
    ipver TEXT DEFAULT '' NOT NULL,
    src_url TEXT DEFAULT '' NOT NULL,
    dst_url TEXT DEFAULT '' NOT NULL,
    src_rse TEXT DEFAULT '' NOT NULL,
    dst_rse TEXT DEFAULT '' NOT NULL,
    src_token TEXT DEFAULT '' NOT NULL,
    dst_token TEXT DEFAULT '' NOT NULL,
    src_endpoint TEXT DEFAULT '' NOT NULL,
    dst_endpoint TEXT DEFAULT '' NOT NULL,
    src_status TEXT DEFAULT '' NOT NULL,
    dst_status TEXT DEFAULT '' NOT NULL,
    state TEXT DEFAULT '' NOT NULL,
    error_scope TEXT DEFAULT '' NOT NULL,
    error_phase TEXT DEFAULT '' NOT NULL,
    error_category TEXT DEFAULT '' NOT NULL,
    error_code TEXT DEFAULT '' NOT NULL,
    error_message TEXT DEFAULT '' NOT NULL,
    topology_revision INTEGER NOT NULL,
    started_at timestamptz,
    never_pairs BOOLEAN NOT NULL,
    start_at timestamptz,
    start_dedupe BIGINT,
    bytes BIGINT NOT NULL,
    file_size BIGINT,
    interval_use SMALLINT NOT NULL,
    moved_from timestamptz,
    moved_to timestamptz,
    streaming_ms BIGINT,
    total_ms BIGINT,
    srm_prep_ms BIGINT,
    srm_fin_ms BIGINT,
    checksum_src_ms BIGINT,
    checksum_dst_ms BIGINT,
    throughput BIGINT,
    retry BIGINT,
    retry_max BIGINT,
    received_at timestamptz NOT NULL,
    ref TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (ended_at, dedupe)
)
 PARTITION BY RANGE (ended_at);
CREATE INDEX transfer_key ON store.transfer (key_order, key_hash);
CREATE INDEX transfer_moved_on_other_days ON store.transfer (moved_from) WHERE (moved_from AT TIME ZONE 'UTC') < date_trunc('day', ended_at AT TIME ZONE 'UTC');
COMMENT ON TABLE store.transfer IS 'Every finished attempt once, by day of its event time, with a pointer to the start it is paired with.';
CREATE TABLE store.verify_run (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    run_at timestamptz DEFAULT now() NOT NULL,
    window_from timestamptz NOT NULL,
    window_to timestamptz NOT NULL,
    cells BIGINT NOT NULL,
    differing BIGINT NOT NULL,
    PRIMARY KEY (id)
);
COMMENT ON TABLE store.verify_run IS 'Every verification: how many cells were compared and how many differed.';
CREATE TABLE store.wide_key (
    key_order BIGINT NOT NULL,
    key_hash BIGINT NOT NULL,
    PRIMARY KEY (key_order, key_hash)
);
COMMENT ON TABLE store.wide_key IS 'Transfer keys whose completes may pair with a start of any day, so that all days must be searched.';