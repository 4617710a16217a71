ALTER TABLE store.dead_letter ADD COLUMN emptied_at timestamptz;
CREATE INDEX dead_letter_whole ON store.dead_letter (died_at) WHERE emptied_at IS NULL;
CREATE OR REPLACE VIEW report.dead_letter AS
SELECT id, topic, reason, detail, received_at, headers, body, replayed_at, kind, ref, died_at, emptied_at
FROM store.dead_letter;
COMMENT ON COLUMN report.dead_letter.emptied_at IS 'When detail, headers and body were removed, because they may name persons; NULL while they are there.';
