CREATE TABLE store.token (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('reader', 'operator', 'administrator')),
    vos text[],
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE UNIQUE INDEX token_name ON store.token (name) WHERE revoked_at IS NULL;
COMMENT ON TABLE store.token IS 'Tokens of the HTTP API, as their SHA-256.';
COMMENT ON COLUMN store.token.vos IS 'VOs whose single transfers it shows; NULL: of all.';
COMMENT ON COLUMN store.token.last_used_at IS 'The beginning of the hour of its last use.';

CREATE TABLE store.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    operation text NOT NULL,
    who text NOT NULL,
    via text NOT NULL,
    origin text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    result text NOT NULL,
    login text NOT NULL DEFAULT SESSION_USER
);
CREATE INDEX audit_at ON store.audit (at);
COMMENT ON TABLE store.audit IS 'What operators did. Rows are added and, after 13 months, forgotten; nobody changes one.';

CREATE VIEW report.audit AS
SELECT id, at, operation, who, via, origin, action, subject, result, login FROM store.audit;
COMMENT ON VIEW report.audit IS 'What operators did: long actions have a line when they begin and one when they end.';
COMMENT ON COLUMN report.audit.at IS 'When, by the clock of the database.';
COMMENT ON COLUMN report.audit.operation IS 'The same for all lines of one action.';
COMMENT ON COLUMN report.audit.who IS 'Name of the token, subject of the OIDC token, or user of the operating system.';
COMMENT ON COLUMN report.audit.via IS 'What says so: token ID, oidc ISSUER, or os.';
COMMENT ON COLUMN report.audit.origin IS 'Address of the caller, or name of the host where the command ran.';
COMMENT ON COLUMN report.audit.action IS 'What was done, as two or three words.';
COMMENT ON COLUMN report.audit.subject IS 'To what: an id, a range, files.';
COMMENT ON COLUMN report.audit.result IS 'begun, done, or failed, with a sentence.';
COMMENT ON COLUMN report.audit.login IS 'The user whom PostgreSQL let in.';
GRANT SELECT ON report.audit TO transferscope_operator;

-- Runs as the owner: writers need partitions, and no right to make or change any other table.
CREATE FUNCTION store.make_partition(
    parent text, partition text, begin_at timestamptz, end_at timestamptz, fill integer
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_class
        WHERE relnamespace = 'store'::regnamespace AND relkind = 'p' AND relname = parent
    ) OR partition !~ ('^' || parent || '_p\d{4,8}$') OR fill NOT BETWEEN 10 AND 100 THEN
        RAISE EXCEPTION '% is no partition of a table of transferscope', partition USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format(
        'CREATE TABLE store.%I (LIKE store.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)'
        ' WITH (fillfactor = %s)', partition, parent, fill);
    EXECUTE format(
        'ALTER TABLE store.%I ATTACH PARTITION store.%I FOR VALUES FROM (%L) TO (%L)', parent, partition, begin_at, end_at);
END
$$;
COMMENT ON FUNCTION store.make_partition(text, text, timestamptz, timestamptz, integer) IS
    'Makes a partition of a partitioned table of this schema, named PARENT_pDATE; fill is its fillfactor.';

-- Runs as the owner: what lies below the raw floor is given up already, and nothing else can be dropped by writers.
CREATE FUNCTION store.drop_partition(partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    end_at timestamptz;
    floor_at timestamptz;
BEGIN
    SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz INTO end_at
    FROM pg_class AS c JOIN pg_inherits AS i ON i.inhrelid = c.oid JOIN pg_class AS p ON p.oid = i.inhparent
    WHERE c.relnamespace = 'store'::regnamespace AND c.relname = partition AND c.relkind = 'r'
        AND p.relname NOT LIKE '%\_1d';
    SELECT to_timestamp(value::bigint / 1000) INTO floor_at FROM store.setting WHERE name = 'raw_floor_ms';
    IF end_at IS NULL AND NOT EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'store'::regnamespace AND relname = partition
    ) THEN
        RETURN;
    END IF;
    IF end_at IS NULL OR floor_at IS NULL OR end_at > floor_at THEN
        RAISE EXCEPTION '% is no partition below the raw floor', partition USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DROP TABLE store.%I', partition);
END
$$;
COMMENT ON FUNCTION store.drop_partition(text) IS
    'Drops a partition that ends at or below the raw floor, if it is there; those of days are kept for ever.';

-- Runs as the owner: writers cannot choose what is forgotten. Names and addresses are kept no longer than this.
CREATE FUNCTION store.forget_audit() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM store.audit WHERE at < now() - interval '13 months' RETURNING 1)
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION store.forget_audit() IS 'Deletes lines of the audit that are older than 13 months; how many.';

REVOKE ALL ON FUNCTION
    store.make_partition(text, text, timestamptz, timestamptz, integer), store.drop_partition(text), store.forget_audit()
FROM PUBLIC;
