-- Jobs, as they are stored; instants are microseconds since 1970, UTC.
CREATE TABLE {jobs} (
    id text COLLATE "C" PRIMARY KEY,
    task text NOT NULL,
    arguments text NOT NULL,
    trigger text NOT NULL,
    policies text NOT NULL,
    executor text NOT NULL,
    is_static boolean NOT NULL,
    hash_trigger bigint,
    hash_rest bigint,
    replaced_trigger bigint,
    replaced_rest bigint,
    edited boolean NOT NULL,
    paused text,
    mark bigint NOT NULL,
    next_nominal bigint,
    next_at bigint,
    -- `next_at` unless the job is paused: what claims look for.
    due_at bigint,
    created_at bigint NOT NULL,
    ended_at bigint,
    zone_data text NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX {jobs_due} ON {jobs} (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX {jobs_ended} ON {jobs} (ended_at) WHERE ended_at IS NOT NULL;

-- Runs: those that wait, those that go on, and those that ended.
CREATE TABLE {runs} (
    id uuid PRIMARY KEY,
    job_id text COLLATE "C" NOT NULL,
    task text NOT NULL,
    -- 0 scheduled, 1 manual, 2 startup
    kind smallint NOT NULL,
    scheduled_for bigint NOT NULL,
    -- 0 queued, 1 running, 2 succeeded, 3 failed, 4 timed_out, 5 cancelled, 6 lost
    state smallint NOT NULL,
    -- 0 none, 1 waits for one, 2 holds one
    place smallint NOT NULL,
    -- The node that holds it, or held it last.
    node bigint,
    -- Of a run that waits: how many there were; otherwise the number of the present or last one.
    attempt integer NOT NULL,
    failures integer NOT NULL,
    lost integer NOT NULL,
    cancel_asked boolean NOT NULL,
    started_at bigint,
    finished_at bigint,
    lateness bigint,
    error text,
    value text,
    -- JSON
    earlier_attempts text
) WITH (fillfactor = 90);
-- A fire time is claimed once, whatever happens. By time first: what is claimed now lies together, and
-- is written to a few pages instead of one page for each job.
CREATE UNIQUE INDEX {runs_fire_time} ON {runs} (scheduled_for, job_id) WHERE kind = 0;
CREATE INDEX {runs_job} ON {runs} (job_id, id);
CREATE INDEX {runs_waiting} ON {runs} (job_id) WHERE place = 1;
CREATE INDEX {runs_open} ON {runs} (job_id, place) WHERE place > 0;
CREATE INDEX {runs_troubled} ON {runs} (id) WHERE state >= 3;
CREATE INDEX {runs_asked} ON {runs} (node) WHERE place = 2 AND cancel_asked;

-- Fire times that were not run, and why.
CREATE TABLE {dropped} (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    count bigint NOT NULL,
    is_exact boolean NOT NULL,
    decided_at bigint NOT NULL
);
CREATE INDEX {dropped_job} ON {dropped} (job_id, seq);

-- Processes that share this store; leases by the clock of the database.
CREATE TABLE {nodes} (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    started_at bigint NOT NULL,
    beat_at bigint NOT NULL,
    lease_until bigint NOT NULL,
    -- False once its runs were taken over, or once it has left.
    is_alive boolean NOT NULL
);
