DROP FUNCTION store.make_partition(text, text, timestamptz, timestamptz, integer);
DROP FUNCTION store.drop_partition(text);
DROP FUNCTION store.forget_audit();
DROP VIEW report.audit;
DROP TABLE store.token, store.audit;
