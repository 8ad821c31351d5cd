-- PostgreSQL keeps all versions of a row that are newer than the oldest open transaction, and each fire writes one of
-- its job's row and ends a run. An index whose key stays the same makes every look-up walk through all of them, and a
-- unique index makes every update do so. The keys here grow with each version, so that the newest is found first.

-- The ids of jobs that are taken. They are unique here, where no fire writes, and not in the table of jobs.
CREATE TABLE {ids} (
    id text COLLATE "C" PRIMARY KEY
);
INSERT INTO {ids} (id) SELECT id FROM {jobs};
DO $$
DECLARE replaced name;
BEGIN
    SELECT conname INTO replaced FROM pg_constraint WHERE conrelid = '{jobs}'::regclass AND contype = 'p';
    EXECUTE format('ALTER TABLE {jobs} DROP CONSTRAINT %I', replaced);
END $$;
CREATE INDEX {jobs_id} ON {jobs} (id, mark);

-- No run of the job with a lower id is open, that is, queued or live.
ALTER TABLE {jobs} ADD COLUMN open_from uuid;

-- Open runs, in the order of their ids from there on.
DO $$
DECLARE replaced regclass;
BEGIN
    SELECT c.oid INTO replaced FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = '{runs}'::regclass AND c.relname = '{runs_open}';
    EXECUTE 'DROP INDEX ' || replaced;
END $$;
CREATE INDEX {runs_open} ON {runs} (job_id, place, id) WHERE place > 0;
