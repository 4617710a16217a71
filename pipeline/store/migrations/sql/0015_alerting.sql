ALTER TABLE store.backlog
ADD COLUMN enqueued BIGINT, ADD COLUMN dequeued BIGINT,
ADD COLUMN enqueue_rate DOUBLE PRECISION, ADD COLUMN dequeue_rate DOUBLE PRECISION;

CREATE OR REPLACE VIEW report.backlog AS
SELECT
    kind, broker, name, sampled_at, depth, oldest_s, consumers, expired, dead,
    enqueued, dequeued, enqueue_rate, dequeue_rate
FROM store.backlog;
COMMENT ON COLUMN report.backlog.enqueued IS 'Messages that came since the broker started; NULL: not known.';
COMMENT ON COLUMN report.backlog.dequeued IS 'Messages that were taken out since the broker started; NULL: not known.';
COMMENT ON COLUMN report.backlog.enqueue_rate IS 'Messages per second that came since the sample before; NULL: not known.';
COMMENT ON COLUMN report.backlog.dequeue_rate IS 'Messages per second that were taken out since the sample before; NULL: not known.';

CREATE TABLE store.silence (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    ends_at timestamptz NOT NULL
);
COMMENT ON TABLE store.silence IS 'Alerts that nobody is to be notified of for a time, and why.';

CREATE FUNCTION store.fits(pattern text, name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT name LIKE replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
$$;
COMMENT ON FUNCTION store.fits(text, text) IS 'Whether the name is that of the pattern, in which * stands for any letters.';

CREATE VIEW report.silence AS
SELECT id, rule, subject, reason, author, created_at, ends_at FROM store.silence;
COMMENT ON VIEW report.silence IS 'Alerts that nobody is to be notified of for a time, and why.';
COMMENT ON COLUMN report.silence.id IS 'Number of the silence.';
COMMENT ON COLUMN report.silence.rule IS 'Rule of the alerts; * for any letters.';
COMMENT ON COLUMN report.silence.subject IS 'Subject of the alerts; * for any letters.';
COMMENT ON COLUMN report.silence.reason IS 'Why, for people.';
COMMENT ON COLUMN report.silence.author IS 'Who said so.';
COMMENT ON COLUMN report.silence.created_at IS 'Since when.';
COMMENT ON COLUMN report.silence.ends_at IS 'Until when; past: it is over.';

CREATE TABLE store.notification (
    alert_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    told_at timestamptz NOT NULL,
    cleared_told_at timestamptz,
    PRIMARY KEY (alert_id, channel)
);
COMMENT ON TABLE store.notification IS 'Which alerts somebody was told of, and when, channel by channel.';

CREATE VIEW report.notification AS
SELECT alert_id, channel, told_at, cleared_told_at FROM store.notification;
COMMENT ON VIEW report.notification IS 'Which alerts somebody was told of, and when, channel by channel.';
COMMENT ON COLUMN report.notification.alert_id IS 'The id in report.alert.';
COMMENT ON COLUMN report.notification.channel IS 'mail, alertmanager or log.';
COMMENT ON COLUMN report.notification.told_at IS 'When it was last told that the alert is open.';
COMMENT ON COLUMN report.notification.cleared_told_at IS 'When it was told that the alert is cleared; NULL: not yet.';

CREATE TABLE store.heartbeat (
    process TEXT PRIMARY KEY,
    beat_at timestamptz NOT NULL
);
COMMENT ON TABLE store.heartbeat IS 'When a process that watches over others last did so.';

CREATE VIEW report.heartbeat AS
SELECT process, beat_at FROM store.heartbeat;
COMMENT ON VIEW report.heartbeat IS 'When a process that watches over others last did so: an old one means that nobody watches.';
COMMENT ON COLUMN report.heartbeat.process IS 'alerts.';
COMMENT ON COLUMN report.heartbeat.beat_at IS 'When the rules were last judged.';

CREATE OR REPLACE VIEW report.alert AS
SELECT
    a.id, a.rule, a.subject, a.raised_at, a.cleared_at, a.value, a.threshold,
    (
        SELECT max(s.ends_at) FROM store.silence AS s
        WHERE store.fits(s.rule, a.rule) AND store.fits(s.subject, a.subject)
            AND s.ends_at > a.raised_at AND (a.cleared_at IS NULL OR s.created_at < a.cleared_at)
    ) AS silenced_until,
    a.detail
FROM store.alert AS a;
ALTER TABLE store.alert DROP COLUMN silenced_until;

GRANT SELECT ON report.heartbeat TO transferscope_reader, transferscope_operator;
GRANT SELECT ON report.silence, report.notification TO transferscope_operator;
