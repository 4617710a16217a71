CREATE FUNCTION report.hist_edge(bin integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN bin < 16 THEN bin::bigint ELSE (8 + bin % 8)::bigint << (bin / 8 - 1) END
$$;
COMMENT ON FUNCTION report.hist_edge(integer) IS
    'Smallest value of a histogram bin: 0 to 7 have a bin each, then eight equal bins an octave. A bin is at most 1/8 as wide as its edge.';

CREATE FUNCTION report.hist_bin(value bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value < 8 THEN value::integer
        ELSE ((e - 2) * 8 + ((value >> (e - 3)) & 7))::integer END
    FROM (SELECT 63 - position('1' IN value::bit(64)::text) + 1 AS e) AS octave
$$;
COMMENT ON FUNCTION report.hist_bin(bigint) IS 'The histogram bin of a whole number >= 0.';

CREATE FUNCTION report.hist_add(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY n), '{}')
    FROM unnest(a, b) WITH ORDINALITY AS pairs(x, y, n)
$$;
COMMENT ON FUNCTION report.hist_add(bigint[], bigint[]) IS 'Two histograms as one.';

CREATE AGGREGATE report.hist_sum(bigint[]) (
    SFUNC = report.hist_add, STYPE = bigint[], INITCOND = '{}', PARALLEL = SAFE, COMBINEFUNC = report.hist_add
);
COMMENT ON AGGREGATE report.hist_sum(bigint[]) IS 'Many histograms as one.';

CREATE FUNCTION report.hist_quantile(hist bigint[], q double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH bins AS (
        SELECT n, (i - 1)::integer AS bin, sum(n) OVER (ORDER BY i) AS until
        FROM unnest(hist) WITH ORDINALITY AS bins(n, i)
    ), wanted AS (
        SELECT greatest(least(q, 1), 0) * max(until) AS rank FROM bins
    )
    -- The width of the bin, not the next edge, which of the last bin is no bigint.
    SELECT report.hist_edge(bin)
        + (1::bigint << greatest(bin / 8 - 1, 0)) * ((rank - (until - n)) / n)::double precision
    FROM bins, wanted
    WHERE n > 0 AND until >= rank
    ORDER BY bin LIMIT 1
$$;
COMMENT ON FUNCTION report.hist_quantile(bigint[], double precision) IS
    'The value below which the share q (0 to 1) lies, straight between the edges of its bin: at most 1/8 off. NULL for an empty histogram.';

-- Runs as the owner: readers see histograms without any right on the base tables.
CREATE FUNCTION store.link_histogram(links integer[], from_at timestamptz, to_at timestamptz, stage integer)
RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH counts AS (
        SELECT u.code - stage * 512 AS bin, sum(u.n)::bigint AS n
        FROM store.link_hist AS h, unnest(h.codes, h.counts) AS u(code, n)
        WHERE h.link_id = ANY (links) AND h.window_start >= from_at AND h.window_start < to_at
            AND u.code >= stage * 512 AND u.code < (stage + 1) * 512
        GROUP BY 1
    )
    SELECT coalesce(array_agg(coalesce(counts.n, 0) ORDER BY g.bin), '{}')
    FROM generate_series(0, (SELECT max(bin) FROM counts)) AS g(bin) LEFT JOIN counts USING (bin)
$$;
COMMENT ON FUNCTION store.link_histogram(integer[], timestamptz, timestamptz, integer) IS
    'Histogram of one stage over the base windows in [from_at, to_at) of some links.';

CREATE FUNCTION store.lost_after() RETURNS interval
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT coalesce((SELECT value::double precision FROM store.setting WHERE name = 'lost_after_s'), 86400)
        * interval '1 second'
$$;
COMMENT ON FUNCTION store.lost_after() IS 'Age from which a start without a complete is lost.';
