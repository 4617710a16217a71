-- The user of Grafana's data source: reads the aggregates, nothing else. May be run again; a new password is taken.
\set password `cat "${PASSWORD_FILE:-/run/secrets/grafana-database-password}"`
SELECT 'CREATE ROLE transferscope_grafana LOGIN IN ROLE transferscope_reader CONNECTION LIMIT 10'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'transferscope_grafana') \gexec
ALTER ROLE transferscope_grafana PASSWORD :'password';
ALTER ROLE transferscope_grafana SET default_transaction_read_only = on;
ALTER ROLE transferscope_grafana SET statement_timeout = '30s';
