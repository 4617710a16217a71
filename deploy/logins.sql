-- Who logs in to PostgreSQL, each with the rights that its processes need, and the database. An administrator runs it
-- with psql before `transferscope init`; run again, it adds what is missing and takes new passwords.
--
--   login                     password in               for
--   transferscope             owner-password            init and tokens: owns the tables, may make no roles
--   transferscope_processes   writer-password           bridge, worker, relay, alerts, topology load, recompute, …
--   transferscope_pages       web-password              web
--   transferscope_grafana     grafana-database-password Grafana: the aggregates alone
--
-- The files are in the folder that the environment variable SECRETS names. What each role may do: pipeline/store/README.md.
\set ON_ERROR_STOP on
\set owner `cat "$SECRETS/owner-password"`
\set writer `cat "$SECRETS/writer-password"`
\set web `cat "$SECRETS/web-password"`
\set grafana `cat "$SECRETS/grafana-database-password"`

SELECT format('CREATE ROLE %I %s', name, how)
FROM (VALUES
    (1, 'transferscope_reader', ''),
    (2, 'transferscope_operator', ''),
    (3, 'transferscope_writer', 'IN ROLE transferscope_operator'),
    (4, 'transferscope_web', 'IN ROLE transferscope_operator'),
    (5, 'transferscope', 'LOGIN'),
    (6, 'transferscope_processes', 'LOGIN IN ROLE transferscope_writer'),
    (7, 'transferscope_pages', 'LOGIN IN ROLE transferscope_web'),
    (8, 'transferscope_grafana', 'LOGIN IN ROLE transferscope_reader CONNECTION LIMIT 10')
) AS wanted (place, name, how)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
ORDER BY place
\gexec

ALTER ROLE transferscope PASSWORD :'owner';
ALTER ROLE transferscope_processes PASSWORD :'writer';
ALTER ROLE transferscope_pages PASSWORD :'web';
ALTER ROLE transferscope_grafana PASSWORD :'grafana';
ALTER ROLE transferscope_grafana SET default_transaction_read_only = on;
ALTER ROLE transferscope_grafana SET statement_timeout = '30s';

SELECT 'CREATE DATABASE transferscope OWNER transferscope'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'transferscope')
\gexec
