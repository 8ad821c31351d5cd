//! The statements that the engine needs from a database: one per call, for any number of rows.
//!
//! All decisions are made above this trait and written once; it contains only the statements that differ between
//! databases. Every call takes a connection: inside a transaction if the engine has begun one, or that of a caller
//! who adds a job in their own transaction.
//!
//! Instants are microseconds since 1970, UTC. "Waiting" and "skipping" describe how a statement treats rows that
//! another transaction has locked; a database with one writer has nothing to lock.

use scheduler_core::RunFilter;
use scheduler_core::store::NewNode;

use crate::counted::Tally;
use crate::job_row::{Advance, JobRow};
use crate::listed_jobs::ListedJobs;
use crate::node_row::{HeartbeatRow, NodeRow};
use crate::run_row::{
    BodyRow, ClaimedAfter, EndRow, HeadRow, NewRun, OpenFrom, OpenRuns, RequeueRow, RetryRow,
    RunRow, StartRow,
};
use crate::skipped_row::SkippedRow;
use crate::sqlx;

/// The connection of a backend.
pub(crate) type Connection<B> = <<B as Backend>::Db as sqlx::Database>::Connection;

/// The due jobs that a node can take.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// The tasks.
    pub(crate) tasks: &'a [&'a str],
    /// The executors.
    pub(crate) executors: &'a [&'a str],
    /// Jobs to leave out: the node has seen that it cannot run or read them.
    pub(crate) skipped: &'a [String],
}

/// The result of one statement.
pub(crate) type Sql<T> = Result<T, sqlx::Error>;

/// Passes the list of statements to a macro: to `make_trait`, and to the macro of each database, which implements
/// each statement with a function of the same name.
macro_rules! for_each_statement {
    ($then:ident) => {
        $then! {
            /// Runs a statement without parameters or rows, such as `BEGIN` or `COMMIT`.
            execute(statement: &'static str) -> ();

            // Jobs.

            /// Locks (skipping) due jobs, earliest first: `from <= due_at <= now`.
            lock_due(wanted: &Wanted<'_>, from: i64, now: i64, limit: i64) -> Vec<JobRow>;
            /// Locks (skipping) jobs that have queued runs (`slot = 1`) one of which may be promoted: the job has
            /// fewer live runs than its `max_instances`, and not all of its queued runs are waiting for the end of
            /// a pause. The number of rows read per job is bounded, however long the queue is.
            lock_queued(wanted: &Wanted<'_>, limit: i64) -> Vec<JobRow>;
            /// Locks (waiting, in the order of their ids) jobs; missing jobs are left out.
            lock_jobs(ids: &[&str]) -> Vec<JobRow>;
            /// Reads a job without a lock.
            job(id: &str) -> Option<JobRow>;
            /// Lists jobs in the order of their ids.
            list_by_id(listed: &ListedJobs<'_>, limit: i64) -> Vec<JobRow>;
            /// Lists jobs with a `due_at`, ordered by it, then by their ids.
            list_by_next(limit: i64) -> Vec<JobRow>;
            /// Returns the earliest `due_at` of the wanted jobs that is not before `from`.
            next_due(wanted: &Wanted<'_>, from: i64) -> Option<i64>;
            /// Inserts jobs whose id is free; returns the ids of the inserted jobs.
            insert_jobs(jobs: &[JobRow]) -> Vec<String>;
            /// Overwrites jobs.
            update_jobs(jobs: &[JobRow]) -> ();
            /// Sets watermark, next fire time and the bound of open runs of (unpaused) jobs that are locked.
            advance_jobs(jobs: &[Advance<'_>]) -> ();
            /// Lowers the bound of a job's open runs to the id `run`. The job's row is locked.
            lower_open_from(job: &str, run: u128) -> ();
            /// Deletes a job.
            delete_job(id: &str) -> ();
            /// Lists jobs with ids after `after`, ordered by id, whose watermark is later than `watermark_over` or
            /// whose fire times were computed with other time zone data.
            list_to_repair(after: &str, watermark_over: i64, zone_data: &str, limit: i64) -> Vec<String>;

            // Runs.

            /// Counts the runs of jobs that hold a slot or wait for one; jobs without such runs are left out.
            open_runs(jobs: &[OpenFrom<'_>]) -> Vec<OpenRuns>;
            /// Counts the runs of jobs that hold a slot; jobs without such runs are left out.
            live_runs(jobs: &[OpenFrom<'_>]) -> Vec<OpenRuns>;
            /// Returns the fire times after the watermarks of jobs that have a run, each with the id of its job.
            claimed_times(jobs: &[ClaimedAfter<'_>]) -> Vec<(String, i64)>;
            /// Returns the first queued runs of each job that this version can read, in the order of their ids.
            queue_heads(heads: &[HeadRow<'_>]) -> Vec<RunRow>;
            /// Returns the queued runs of jobs, in the order of their ids.
            queued_runs(job_ids: &[&str]) -> Vec<RunRow>;
            /// Inserts runs, except those whose fire time is already claimed. Returns the ids of the inserted runs.
            insert_runs(runs: &[NewRun<'_>]) -> Vec<u128>;
            /// Makes queued runs live on a node, started now.
            start_runs(runs: &[StartRow], node: i64, now: i64) -> ();
            /// Deletes runs.
            delete_runs(ids: &[u128]) -> ();
            /// Cancels queued runs, with `error` as the reason.
            cancel_queued(ids: &[u128], error: &str, now: i64) -> u64;
            /// Requests the cancellation of the oldest run of each job that holds a slot.
            cancel_oldest(job_ids: &[&str]) -> ();
            /// Requests the cancellation of a run if it is live (`slot = 2` and `state = 1`). Returns `true` if it is.
            ask_run(id: u128) -> bool;
            /// Returns the live runs of a node whose cancellation was requested.
            cancellations(node: i64) -> Vec<u128>;
            /// Returns the live runs of a node (`slot = 2`). The node is locked.
            held(node: i64) -> Vec<u128>;
            /// Ends live runs that a node holds as their rows say, if its lease is still valid. Returns the ids of the
            /// runs that it held, or none if it is cheaper to report only that some were not held: the rows are then
            /// read. An end with `holds_slot` leaves `slot = 2`.
            end_runs(node: i64, ends: &[EndRow<'_>]) -> Vec<u128>;
            /// Appends an attempt that has ended to `earlier_attempts` (at most the last 10) of live runs that a node
            /// holds as their rows say, if its lease is still valid.
            retry_runs(node: i64, retries: &[RetryRow]) -> Vec<u128>;
            /// Records that the body of an attempt has returned, for runs that a node holds as their rows say, if its
            /// lease is still valid.
            end_bodies(node: i64, bodies: &[BodyRow]) -> Vec<u128>;
            /// Reads runs.
            runs(ids: &[u128]) -> Vec<RunRow>;
            /// Lists runs, newest id first, with the names of their nodes.
            list_runs(filter: &RunFilter) -> Vec<RunRow>;

            // Skipped fire times.

            /// Inserts records of skipped fire times.
            insert_skipped(skipped: &[SkippedRow]) -> ();
            /// Lists records with a `seq` below `below`, newest first, each with its `seq`.
            list_skipped(job: Option<&str>, below: i64, limit: i64) -> Vec<(i64, SkippedRow)>;

            // Retention.

            /// Counts the runs with ids in `(after, upto]`, at most `limit` of them in the order of their ids.
            tally_runs(after: u128, upto: u128, limit: i64) -> Tally;
            /// Returns the ended run with an id in `(after, upto]` that has exactly `n` newer ended runs there.
            nth_newest_run(after: u128, upto: u128, n: i64) -> Option<u128>;
            /// Deletes ended runs (`slot = 0`) with ids below `below`, oldest first, except those whose fire time is
            /// later than `now`. Returns the number of deleted runs.
            prune_runs(below: u128, now: i64, limit: i64) -> u64;
            /// Counts skipped fire times with a `seq` in `(after, upto]`, at most `limit` of them in that order.
            tally_skipped(after: i64, upto: i64, limit: i64) -> Tally;
            /// Returns the record with a `seq` in `(after, upto]` that has exactly `n` newer ones there.
            nth_newest_skipped(after: i64, upto: i64, n: i64) -> Option<i64>;
            /// Deletes skipped fire times decided before `decided_before` or with a `seq` up to that. Returns how many.
            prune_skipped(decided_before: i64, seq: i64, limit: i64) -> u64;
            /// Deletes dynamic jobs that ended before `before` and have no open runs. Returns how many.
            prune_ended_jobs(before: i64, limit: i64) -> u64;
            /// Deletes nodes that are not alive and have no open run: those last heard from before `before`, and
            /// those beyond the `keep` that started last; at most `limit` of them. Returns how many.
            prune_nodes(before: i64, keep: i64, limit: i64) -> u64;

            // Nodes.

            /// Returns the time of the database's clock.
            time() -> i64;
            /// Inserts a node with a lease of `lease` microseconds; an existing node gets a new lease.
            join_node(node: &NewNode, lease: i64) -> ();
            /// Renews the lease of a node that is alive; returns `None` if it is not. Watermarks and other nodes'
            /// heartbeats need a repair if they are more than `ahead` microseconds ahead of the clock.
            heartbeat(node: i64, lease: i64, ahead: i64) -> Option<HeartbeatRow>;
            /// Cuts the leases of nodes that are alive and whose last heartbeat is more than `ahead` microseconds
            /// ahead of the clock: to their length, from now. Returns how many.
            cut_leases(ahead: i64) -> u64;
            /// Returns `true` if the node is registered and no other node is, and no node's runs are still to be taken
            /// over; read without a lock. Always `false` in a database with row locks.
            is_only_node(node: i64) -> bool;
            /// Removes a node, unless it holds runs. The node is locked.
            leave_node(node: i64) -> ();
            /// Locks a node against takeover if its lease is valid (`FOR KEY SHARE`). Returns `true` if it is.
            hold_lease(node: i64) -> bool;
            /// Waits for every open transaction that holds the node's lease ([`hold_lease`](Self::hold_lease)), even if
            /// its client no longer waits for the COMMIT, and locks the node (`FOR UPDATE`). Heartbeats continue
            /// meanwhile.
            lock_node(node: i64) -> ();
            /// Locks (skipping) nodes that are flagged as alive and whose lease has expired (`FOR UPDATE`).
            lock_lost_nodes() -> Vec<i64>;
            /// Returns the runs of nodes that hold a slot, in the order of their ids, after the id `after`.
            runs_of(nodes: &[i64], after: u128, limit: i64) -> Vec<RunRow>;
            /// Settles runs that their nodes release, and runs of nodes that are gone, each as its row says.
            requeue(runs: &[RequeueRow]) -> ();
            /// Ends leases for good: later heartbeats of these nodes are refused.
            end_leases(nodes: &[i64]) -> ();
            /// Clears the flag of nodes whose runs are settled.
            bury(nodes: &[i64]) -> ();
            /// Lists the nodes that are alive, youngest first, followed by `gone` of the others.
            list_nodes(gone: i64) -> Vec<NodeRow>;

            // Waking.

            /// Notifies other nodes, when this transaction commits, that slots are free for queued runs: if a job of
            /// these runs has queued runs.
            notify_of_slots(ids: &[u128]) -> ();
            /// Notifies other nodes, when this transaction commits, that a job is due at `due` (or now).
            notify(due: i64) -> ();
        }
    };
}
pub(crate) use for_each_statement;

macro_rules! make_trait {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        /// A database that the store supports.
        pub(crate) trait Backend: Sized + Send + Sync + 'static {
            /// The driver's type.
            type Db: sqlx::Database;

            /// The name of the database, for messages.
            const NAME: &'static str;

            /// Begins a transaction that is going to write.
            const BEGIN: &'static str;

            /// Begins a transaction that only reads.
            const BEGIN_READ: &'static str;

            /// `true` if only one transaction can write at a time.
            const ONE_WRITER: bool;

            /// Returns `true` if all statements of a connection reach one session of the database. Otherwise
            /// each has to be inside a transaction.
            fn keeps_sessions(&self) -> bool {
                true
            }

            /// Records that they do not. Returns `true` if this is new information.
            fn lose_sessions(&self) -> bool {
                false
            }

            $($(#[$doc])*
            fn $name(
                &self,
                connection: &mut Connection<Self>,
                $($argument: $type),*
            ) -> impl Future<Output = Sql<$result>> + Send;)*
        }
    };
}

for_each_statement!(make_trait);
