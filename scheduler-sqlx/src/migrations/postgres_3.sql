-- Tables, columns and indexes are called what they hold. Programs of version 2 cannot read this.
ALTER TABLE {jobs} RENAME COLUMN mark TO watermark;
-- 0 none, 1 waits for one, 2 holds one
ALTER TABLE {runs} RENAME COLUMN place TO slot;
ALTER TABLE {runs} RENAME COLUMN cancel_asked TO cancel_requested;
ALTER TABLE {nodes} RENAME COLUMN beat_at TO heartbeat_at;
DO $$
DECLARE
    renamed record;
BEGIN
    FOR renamed IN
        SELECT c.oid::regclass AS found, w.new FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN (VALUES ('{jobs_mark}', '{jobs_watermark}'), ('{runs_waiting}', '{runs_queued}'),
                ('{runs_asked}', '{runs_cancelled}'), ('{runs_troubled}', '{runs_unsuccessful}'),
                ('{dropped_job}', '{skipped_job}'), ('{dropped_pkey}', '{skipped_pkey}')) AS w (old, new)
                ON w.old = c.relname
            WHERE i.indrelid IN ('{jobs}'::regclass, '{runs}'::regclass, '{dropped}'::regclass)
    LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', renamed.found, renamed.new);
    END LOOP;
    EXECUTE format('ALTER SEQUENCE %s RENAME TO %I',
        pg_get_serial_sequence('{dropped}', 'seq'), '{skipped_seq_seq}');
    -- Renamed within its schema, so that the new name has none.
    EXECUTE format('ALTER TABLE {dropped} RENAME TO %I', rtrim('{skipped_}', '_'));
END $$;

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
CREATE INDEX {jobs_id} ON {jobs} (id, watermark);

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
CREATE INDEX {runs_open} ON {runs} (job_id, slot, id) WHERE slot > 0;
