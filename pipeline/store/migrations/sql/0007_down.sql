DROP VIEW report.dead_letter;
CREATE VIEW report.dead_letter AS
SELECT id, topic, reason, detail, received_at, headers, body, replayed_at, kind, ref, died_at FROM store.dead_letter;
COMMENT ON VIEW report.dead_letter IS 'Messages that could not be used: each once, with the reason.';
COMMENT ON COLUMN report.dead_letter.reason IS 'One word of a fixed list: not_json, no_id, too_old, ...';
COMMENT ON COLUMN report.dead_letter.detail IS 'A sentence that says what is wrong.';
COMMENT ON COLUMN report.dead_letter.received_at IS 'Receipt time of the message; NULL in replayed files that do not say.';
COMMENT ON COLUMN report.dead_letter.headers IS 'Every header of the broker.';
COMMENT ON COLUMN report.dead_letter.body IS 'The body as it came; its first MiB when it was too large.';
COMMENT ON COLUMN report.dead_letter.replayed_at IS 'When the message was used after all.';
COMMENT ON COLUMN report.dead_letter.ref IS 'Where the message can be read again: topic-partition-offset in Kafka, or file:line.';
COMMENT ON COLUMN report.dead_letter.died_at IS 'When it was found unusable.';
GRANT SELECT ON report.dead_letter TO transferscope_operator;
ALTER TABLE store.dead_letter DROP COLUMN emptied_at;
