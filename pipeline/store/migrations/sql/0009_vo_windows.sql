CREATE VIEW report.vo_{kind}_{width} AS
SELECT
    w.window_start, w.technology, w.vo, {key},
    {sums},
    -- One window may hold rows of a finished and of an unfinished link; it is final when all of them are.
    CASE WHEN bool_and(w.final_at IS NOT NULL) THEN max(w.final_at) END AS final_at,
    max(w.updated_at) AS updated_at, bool_or(w.stale) AS stale,
    CASE WHEN w.technology = 'fts' THEN sum(w.ok)::double precision / nullif(sum(w.ok) + sum(w.failed), 0) END
        AS efficiency,
    (sum(w.bytes_moved) / nullif(sum(sum(w.bytes_moved)) OVER side_by_side, 0))::double precision AS share,
    count(*) OVER side_by_side AS vos
FROM {rows}
GROUP BY w.window_start, w.technology, w.vo, {key}
WINDOW side_by_side AS (PARTITION BY w.window_start, w.technology, {key});
COMMENT ON VIEW report.vo_{kind}_{width} IS '{meaning}, VOs side by side, in windows of {span}. A sum beyond bigint is shown as its largest value.';
COMMENT ON COLUMN report.vo_{kind}_{width}.efficiency IS 'ok / (ok + failed); NULL where nothing finished and for technologies that report no failures.';
COMMENT ON COLUMN report.vo_{kind}_{width}.share IS 'The part of the VO in the bytes that all VOs moved in the window, 0 to 1; NULL where none moved any.';
COMMENT ON COLUMN report.vo_{kind}_{width}.vos IS 'VOs with traffic in the window, this one among them: 1 when it was alone.';
