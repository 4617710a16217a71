-- Keys are far fewer than windows, and they stay: names to choose from need no look at any window.
CREATE VIEW report.party AS
SELECT DISTINCT technology, nullif(fts, '') AS fts, vo, nullif(channel, '') AS channel
FROM store.link WHERE vo <> '';
COMMENT ON VIEW report.party IS 'Who transfers: every technology, FTS instance, VO and channel that ever occurred together.';
COMMENT ON COLUMN report.party.fts IS 'FTS instance; NULL for technologies without one.';

CREATE VIEW report.place AS
SELECT src_host AS host, src_site AS site, src_country AS country FROM store.link WHERE src_site <> ''
UNION SELECT dst_host, dst_site, dst_country FROM store.link WHERE dst_site <> '';
COMMENT ON VIEW report.place IS 'Hosts with the sites and countries that windows have them under; a host that moved has several rows.';
COMMENT ON COLUMN report.place.host IS 'Source or destination host.';
COMMENT ON COLUMN report.place.site IS 'Site of the host; unknown where no topology maps it.';
COMMENT ON COLUMN report.place.country IS 'Country of the host; unknown where no topology maps it.';

CREATE VIEW report.in_flight_10m AS
SELECT
    date_bin('10 minutes', started_at, 'epoch') AS window_start, fts, vo, channel, src_host, dst_host, src_site,
    dst_site, lost, count(*) AS count, min(started_at) AS oldest_at
FROM report.in_flight WHERE NOT closed_by_state
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
COMMENT ON VIEW report.in_flight_10m IS
    'Starts that wait for their complete at the moment of reading, counted by the window in which they began: for readers, who see no single one.';
COMMENT ON COLUMN report.in_flight_10m.window_start IS 'The starts have their event time in [window_start, window_start + 10 minutes), UTC.';
COMMENT ON COLUMN report.in_flight_10m.lost IS 'Older than the setting lost_after_hours at the moment of reading.';
COMMENT ON COLUMN report.in_flight_10m.count IS 'Starts without a complete and without a state message that ended them.';
COMMENT ON COLUMN report.in_flight_10m.oldest_at IS 'The earliest of them.';

CREATE VIEW report.dead_letter_10m AS
SELECT
    date_bin('10 minutes', coalesce(received_at, died_at), 'epoch') AS window_start, topic, reason, count(*) AS count,
    count(*) FILTER (WHERE replayed_at IS NULL) AS waiting
FROM store.dead_letter GROUP BY 1, 2, 3;
COMMENT ON VIEW report.dead_letter_10m IS 'Messages that could not be used, counted by the window in which they were received: for readers, who see no message.';
COMMENT ON COLUMN report.dead_letter_10m.window_start IS 'They were received in [window_start, window_start + 10 minutes), UTC; those of files that do not say when died then.';
COMMENT ON COLUMN report.dead_letter_10m.reason IS 'One word of a fixed list: not_json, no_id, too_old, ...';
COMMENT ON COLUMN report.dead_letter_10m.count IS 'Messages that became dead letters.';
COMMENT ON COLUMN report.dead_letter_10m.waiting IS 'Those of them that were not used after all.';

GRANT SELECT ON report.party, report.place, report.in_flight_10m, report.dead_letter_10m
TO transferscope_reader, transferscope_operator;
