-- Tables, columns and indexes are called what they hold. Programs of version 2 cannot read this.
ALTER TABLE {jobs} RENAME COLUMN mark TO watermark;
DROP INDEX {jobs_mark};
CREATE INDEX {jobs_watermark} ON {jobs} (watermark) WHERE next_at IS NOT NULL;

-- 0 none, 1 waits for one, 2 holds one
ALTER TABLE {runs} RENAME COLUMN place TO slot;
ALTER TABLE {runs} RENAME COLUMN cancel_asked TO cancel_requested;
-- All of them, in the order in which they were: of two that fit, the planner takes the one that was made first.
DROP INDEX {runs_waiting};
DROP INDEX {runs_open};
DROP INDEX {runs_troubled};
DROP INDEX {runs_asked};
DROP INDEX {runs_unheld};
CREATE INDEX {runs_queued} ON {runs} (job_id) WHERE slot = 1;
CREATE INDEX {runs_open} ON {runs} (job_id, slot) WHERE slot > 0;
CREATE INDEX {runs_unsuccessful} ON {runs} (id) WHERE state >= 3;
CREATE INDEX {runs_cancelled} ON {runs} (node) WHERE slot = 2 AND cancel_requested = 1;
CREATE INDEX {runs_unheld} ON {runs} (job_id) WHERE slot = 1 AND (kind <> 0 OR attempt > 0);

ALTER TABLE {dropped} RENAME TO {skipped};
DROP INDEX {dropped_job};
CREATE INDEX {skipped_job} ON {skipped} (job_id, seq);

ALTER TABLE {nodes} RENAME COLUMN beat_at TO heartbeat_at;
