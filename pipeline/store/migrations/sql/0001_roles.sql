DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['transferscope_reader', 'transferscope_operator'] LOOP
        -- One that is there already must not need the right to make roles.
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of this cluster has made it
        END;
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA report TO transferscope_reader, transferscope_operator;
-- Histograms in the views call a function of this schema; its tables stay closed.
GRANT USAGE ON SCHEMA store TO transferscope_reader, transferscope_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA report TO transferscope_operator;
GRANT SELECT ON
    report.link_10m, report.link_1h, report.link_1d, report.channel_10m, report.channel_1h, report.channel_1d,
    report.link_bins, report.freshness, report.source_10m, report.verify_run
TO transferscope_reader;
