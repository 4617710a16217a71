CREATE TABLE store.queue_message (
    sampled_at timestamptz NOT NULL,
    dedupe BIGINT NOT NULL,
    PRIMARY KEY (sampled_at, dedupe)
)
 PARTITION BY RANGE (sampled_at);
COMMENT ON TABLE store.queue_message IS 'Every queue report (queue status or optimizer message) once, with samples or without.';
CREATE TABLE store.queue_sample (
    window_start timestamptz NOT NULL,
    link_id INTEGER NOT NULL,
    sampled_at timestamptz NOT NULL,
    active BIGINT,
    ready BIGINT,
    ratio DOUBLE PRECISION,
    channel_type TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (window_start, link_id, sampled_at)
)
 PARTITION BY RANGE (window_start);
COMMENT ON TABLE store.queue_sample IS 'Every sample of a queue once; the window is that of sampled_at, so that a look at windows finds its days.';

CREATE VIEW report.queue_sample AS
SELECT
    nullif(k.fts, '') AS fts, s.sampled_at, nullif(k.vo, '') AS vo, nullif(k.channel, '') AS channel,
    nullif(s.channel_type, '') AS channel_type, nullif(k.src_host, '') AS src_host, nullif(k.dst_host, '') AS dst_host,
    s.active, s.ready, s.ratio, s.window_start
FROM store.queue_sample AS s JOIN store.link AS k ON k.id = s.link_id;
COMMENT ON VIEW report.queue_sample IS
    'What the queues of FTS instances held, sample by sample. The same jobs stand under every VO and channel of their pair of hosts: never sum over these.';
COMMENT ON COLUMN report.queue_sample.fts IS 'FTS instance: host part of fts_id or endpnt.';
COMMENT ON COLUMN report.queue_sample.sampled_at IS 'When it was sampled, as the message says. To find a time fast, restrict window_start too.';
COMMENT ON COLUMN report.queue_sample.vo IS 'Virtual organisation; unknown where a queue status names none, NULL in optimizer messages, which are of all.';
COMMENT ON COLUMN report.queue_sample.channel IS 'Channel; NULL in optimizer messages.';
COMMENT ON COLUMN report.queue_sample.channel_type IS 'As sent: the transfer mode of the channel.';
COMMENT ON COLUMN report.queue_sample.src_host IS 'Source host; both hosts NULL: the total of the channel.';
COMMENT ON COLUMN report.queue_sample.dst_host IS 'Destination host; both hosts NULL: the total of the channel.';
COMMENT ON COLUMN report.queue_sample.active IS 'Active transfers (queue status: jobs; optimizer: files); NULL where none was sent.';
COMMENT ON COLUMN report.queue_sample.ready IS 'Transfers ready to begin (queue status: jobs; optimizer: files submitted); NULL where none was sent.';
COMMENT ON COLUMN report.queue_sample.ratio IS 'Active to the limit of the channel in %, as sent, can exceed 100; NULL where no number was sent.';
COMMENT ON COLUMN report.queue_sample.window_start IS 'The ten minutes that hold sampled_at begin here.';

CREATE VIEW report.queue_10m AS
SELECT
    s.window_start, nullif(k.fts, '') AS fts, nullif(k.vo, '') AS vo, nullif(k.channel, '') AS channel,
    nullif((array_agg(s.channel_type ORDER BY s.sampled_at DESC))[1], '') AS channel_type,
    nullif(k.src_host, '') AS src_host, nullif(k.dst_host, '') AS dst_host,
    (array_agg(s.active ORDER BY s.sampled_at DESC) FILTER (WHERE s.active IS NOT NULL))[1] AS active_last,
    avg(s.active)::double precision AS active_avg, max(s.active) AS active_max,
    (array_agg(s.ready ORDER BY s.sampled_at DESC) FILTER (WHERE s.ready IS NOT NULL))[1] AS ready_last,
    avg(s.ready)::double precision AS ready_avg, max(s.ready) AS ready_max,
    count(*) AS samples,
    (array_agg(s.ratio ORDER BY s.sampled_at DESC) FILTER (WHERE s.ratio IS NOT NULL))[1] AS ratio_last,
    -- As numeric: the sum of doubles would depend on their order.
    avg(s.ratio::numeric)::double precision AS ratio_avg, max(s.ratio) AS ratio_max,
    (avg(s.active) / nullif(max(s.active), 0))::double precision AS active_to_max
FROM store.queue_sample AS s JOIN store.link AS k ON k.id = s.link_id
GROUP BY s.window_start, k.id;
COMMENT ON VIEW report.queue_10m IS
    'What the queues of FTS instances held in windows of 10 minutes: last, average and maximum of each link, never summed over VOs or channels.';
COMMENT ON COLUMN report.queue_10m.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC, of the times of the samples.';
COMMENT ON COLUMN report.queue_10m.fts IS 'FTS instance: host part of fts_id or endpnt.';
COMMENT ON COLUMN report.queue_10m.vo IS 'Virtual organisation; unknown where a queue status names none, NULL in optimizer messages, which are of all.';
COMMENT ON COLUMN report.queue_10m.channel IS 'Channel; NULL in optimizer messages.';
COMMENT ON COLUMN report.queue_10m.channel_type IS 'Of the last sample, as sent: the transfer mode of the channel.';
COMMENT ON COLUMN report.queue_10m.src_host IS 'Source host; both hosts NULL: the total of the channel.';
COMMENT ON COLUMN report.queue_10m.dst_host IS 'Destination host; both hosts NULL: the total of the channel.';
COMMENT ON COLUMN report.queue_10m.active_last IS 'Active transfers in the last sample that tells of them.';
COMMENT ON COLUMN report.queue_10m.active_avg IS 'Active transfers, mean of the samples that tell of them.';
COMMENT ON COLUMN report.queue_10m.active_max IS 'Active transfers, the most in a sample.';
COMMENT ON COLUMN report.queue_10m.ready_last IS 'Ready transfers in the last sample that tells of them.';
COMMENT ON COLUMN report.queue_10m.ready_avg IS 'Ready transfers, mean of the samples that tell of them.';
COMMENT ON COLUMN report.queue_10m.ready_max IS 'Ready transfers, the most in a sample.';
COMMENT ON COLUMN report.queue_10m.samples IS 'Samples in the window.';
COMMENT ON COLUMN report.queue_10m.ratio_last IS 'Active to the limit of the channel in %, as sent in the last sample that tells it; can exceed 100.';
COMMENT ON COLUMN report.queue_10m.ratio_avg IS 'Active to the limit of the channel in %, mean of the samples that tell it.';
COMMENT ON COLUMN report.queue_10m.ratio_max IS 'Active to the limit of the channel in %, the highest sent.';
COMMENT ON COLUMN report.queue_10m.active_to_max IS 'active_avg / active_max, 0 to 1: how evenly the link was used; NULL where nothing was active.';

GRANT SELECT ON report.queue_sample, report.queue_10m TO transferscope_reader, transferscope_operator;
