-- Jobs, as they are stored; instants are microseconds since 1970, UTC.
CREATE TABLE {jobs} (
    id text NOT NULL PRIMARY KEY,
    task text NOT NULL,
    arguments text NOT NULL,
    trigger text NOT NULL,
    policies text NOT NULL,
    executor text NOT NULL,
    is_static integer NOT NULL,
    hash_trigger integer,
    hash_rest integer,
    replaced_trigger integer,
    replaced_rest integer,
    edited integer NOT NULL,
    paused text,
    mark integer NOT NULL,
    next_nominal integer,
    next_at integer,
    -- `next_at` unless the job is paused: what claims look for.
    due_at integer,
    created_at integer NOT NULL,
    ended_at integer,
    zone_data text NOT NULL
) STRICT;
CREATE INDEX {jobs_due} ON {jobs} (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX {jobs_ended} ON {jobs} (ended_at) WHERE ended_at IS NOT NULL;

-- Runs: those that wait, those that go on, and those that ended.
CREATE TABLE {runs} (
    id blob NOT NULL PRIMARY KEY,
    job_id text NOT NULL,
    task text NOT NULL,
    -- 0 scheduled, 1 manual, 2 startup
    kind integer NOT NULL,
    scheduled_for integer NOT NULL,
    -- 0 queued, 1 running, 2 succeeded, 3 failed, 4 timed_out, 5 cancelled, 6 lost
    state integer NOT NULL,
    -- 0 none, 1 waits for one, 2 holds one
    place integer NOT NULL,
    -- The node that holds it, or held it last.
    node integer,
    -- Of a run that waits: how many there were; otherwise the number of the present or last one.
    attempt integer NOT NULL,
    failures integer NOT NULL,
    lost integer NOT NULL,
    cancel_asked integer NOT NULL,
    started_at integer,
    finished_at integer,
    lateness integer,
    error text,
    value text,
    -- JSON
    earlier_attempts text
) STRICT, WITHOUT ROWID;
-- A fire time is claimed once, whatever happens. By time first: what is claimed now lies together, and
-- is written to a few pages instead of one page for each job.
CREATE UNIQUE INDEX {runs_fire_time} ON {runs} (scheduled_for, job_id) WHERE kind = 0;
CREATE INDEX {runs_job} ON {runs} (job_id, id);
CREATE INDEX {runs_waiting} ON {runs} (job_id) WHERE place = 1;
CREATE INDEX {runs_open} ON {runs} (job_id, place) WHERE place > 0;
CREATE INDEX {runs_troubled} ON {runs} (id) WHERE state >= 3;
CREATE INDEX {runs_asked} ON {runs} (node) WHERE place = 2 AND cancel_asked = 1;

-- Fire times that were not run, and why.
CREATE TABLE {dropped} (
    seq integer PRIMARY KEY AUTOINCREMENT,
    job_id text NOT NULL,
    reason text NOT NULL,
    first_at integer NOT NULL,
    last_at integer NOT NULL,
    count integer NOT NULL,
    is_exact integer NOT NULL,
    decided_at integer NOT NULL
) STRICT;
CREATE INDEX {dropped_job} ON {dropped} (job_id, seq);

-- Processes that share this store; leases by the clock of the database.
CREATE TABLE {nodes} (
    id integer PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    started_at integer NOT NULL,
    beat_at integer NOT NULL,
    lease_until integer NOT NULL,
    -- False once its runs were taken over, or once it has left.
    is_alive integer NOT NULL
) STRICT;
