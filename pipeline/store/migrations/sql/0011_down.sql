DROP VIEW report.finality;
DROP TABLE store.progress, store.final_pass, store.final_state;
ALTER TABLE store.link_10m ALTER COLUMN updated_at SET DEFAULT now();
ALTER TABLE store.link_1h ALTER COLUMN updated_at SET DEFAULT now();
ALTER TABLE store.link_1d ALTER COLUMN updated_at SET DEFAULT now();
ALTER TABLE store.flow_10m ALTER COLUMN updated_at SET DEFAULT now();
ALTER TABLE store.flow_1h ALTER COLUMN updated_at SET DEFAULT now();
ALTER TABLE store.flow_1d ALTER COLUMN updated_at SET DEFAULT now();
