-- The hash of what the code says about a static job but its trigger: only keys that are written, in frozen
-- words. `hash_rest`, which covers defaults too, stays filled for nodes of version 1.
ALTER TABLE {jobs} ADD COLUMN hash_written integer;

-- Queued runs that a pause of their job does not hold; in the order of their ids, as every index of this table.
CREATE INDEX {runs_unheld} ON {runs} (job_id) WHERE place = 1 AND (kind <> 0 OR attempt > 0);

-- A heartbeat looks at the nodes that are alive, however many are gone.
CREATE INDEX {nodes_alive} ON {nodes} (lease_until) WHERE is_alive = 1;
CREATE INDEX {nodes_gone} ON {nodes} (started_at) WHERE is_alive = 0;

-- Finds marks that are ahead of the clock, at every heartbeat.
CREATE INDEX {jobs_mark} ON {jobs} (mark) WHERE next_at IS NOT NULL;
