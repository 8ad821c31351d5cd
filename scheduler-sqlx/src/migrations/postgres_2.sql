-- The hash of what the code says about a static job but its trigger: only keys that are written, in frozen
-- words. `hash_rest`, which covers defaults too, stays filled for nodes of version 1.
ALTER TABLE {jobs} ADD COLUMN hash_written bigint;

-- A claim reads the oldest queued runs of a job and no others: they are in the order of their ids here, too.
DO $$
DECLARE replaced regclass;
BEGIN
    SELECT c.oid INTO replaced FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = '{runs}'::regclass AND c.relname = '{runs_waiting}';
    EXECUTE 'DROP INDEX ' || replaced;
END $$;
CREATE INDEX {runs_waiting} ON {runs} (job_id, id) WHERE place = 1;
-- Queued runs that a pause of their job does not hold.
CREATE INDEX {runs_unheld} ON {runs} (job_id, id) WHERE place = 1 AND (kind <> 0 OR attempt > 0);

-- A heartbeat looks at the nodes that are alive, however many are gone. Neither index has a column that
-- heartbeats change, so that they leave both alone.
CREATE INDEX {nodes_alive} ON {nodes} (id) WHERE is_alive;
CREATE INDEX {nodes_gone} ON {nodes} (started_at) WHERE NOT is_alive;

-- Each fire writes a new version of its job's row, and each run is written twice: the space is used again sooner
-- than after a fifth of the table has changed, and statistics keep up.
ALTER TABLE {jobs} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE {runs} SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE {nodes} SET (fillfactor = 50, autovacuum_vacuum_threshold = 200);

-- Finds marks that are ahead of the clock, at every heartbeat.
CREATE INDEX {jobs_mark} ON {jobs} (mark) WHERE next_at IS NOT NULL;
