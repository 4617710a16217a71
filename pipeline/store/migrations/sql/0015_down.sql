ALTER TABLE store.alert ADD COLUMN silenced_until timestamptz;
CREATE OR REPLACE VIEW report.alert AS
SELECT id, rule, subject, raised_at, cleared_at, value, threshold, silenced_until, detail FROM store.alert;
DROP VIEW report.silence, report.notification, report.heartbeat, report.backlog;
DROP FUNCTION store.fits(text, text);
DROP TABLE store.silence, store.notification, store.heartbeat;
ALTER TABLE store.backlog
DROP COLUMN enqueued, DROP COLUMN dequeued, DROP COLUMN enqueue_rate, DROP COLUMN dequeue_rate;
CREATE VIEW report.backlog AS
SELECT kind, broker, name, sampled_at, depth, oldest_s, consumers, expired, dead FROM store.backlog;
GRANT SELECT ON report.backlog TO transferscope_reader, transferscope_operator;
