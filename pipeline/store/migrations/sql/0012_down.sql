DROP VIEW report.backlog, report.host_10m, report.topology_host, report.error_kind;
DROP FUNCTION report.error_id(text, text, text, text, text);
DROP TABLE store.backlog;
