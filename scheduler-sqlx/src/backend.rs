//! What a database is asked to do: one statement per call, whatever the number of rows.
//!
//! Everything that decides anything is above this trait and written once; here is only what two
//! databases say differently. Every call is given a connection: inside of a transaction where the
//! engine has begun one, or that of a caller who adds a job in a transaction of their own.
//!
//! Instants are microseconds since 1970, UTC. "Wait" and "skip" tell what becomes of rows that another
//! transaction has locked; a database with one writer has nothing to lock.

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

/// Which due jobs a node can take.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Of these tasks.
    pub(crate) tasks: &'a [&'a str],
    /// On these executors.
    pub(crate) executors: &'a [&'a str],
    /// Not these jobs, which the node has seen and cannot run or read.
    pub(crate) skipped: &'a [String],
}

/// The result of one statement.
pub(crate) type Sql<T> = Result<T, sqlx::Error>;

/// Hands the list of statements to a macro: to that which makes the trait, and to that of each database,
/// which finds a function of the same name for each.
macro_rules! for_each_statement {
    ($then:ident) => {
        $then! {
            /// Runs a statement that takes and gives nothing: of a transaction.
            execute(statement: &'static str) -> ();

            // Jobs.

            /// Locks (skipping) due jobs, the earliest first: `from <= due_at <= now`.
            lock_due(wanted: &Wanted<'_>, from: i64, now: i64, limit: i64) -> Vec<JobRow>;
            /// Locks (skipping) jobs that have queued runs (`slot = 1`) one of which may be promoted: fewer runs of
            /// the job are live than `max_instances` says, and not all that are queued wait for the end of a
            /// pause. What it reads of each job is bounded, however long the queue is.
            lock_queued(wanted: &Wanted<'_>, limit: i64) -> Vec<JobRow>;
            /// Locks (waiting, in the order of their ids) jobs; those that are not there are left out.
            lock_jobs(ids: &[&str]) -> Vec<JobRow>;
            /// Reads a job without a lock.
            job(id: &str) -> Option<JobRow>;
            /// Lists jobs in the order of their ids.
            list_by_id(listed: &ListedJobs<'_>, limit: i64) -> Vec<JobRow>;
            /// Lists jobs with a `due_at`, in its order, then of their ids.
            list_by_next(limit: i64) -> Vec<JobRow>;
            /// The earliest `due_at` among the wanted, from that on.
            next_due(wanted: &Wanted<'_>, from: i64) -> Option<i64>;
            /// Inserts jobs whose id is free; the ids of those that were inserted.
            insert_jobs(jobs: &[JobRow]) -> Vec<String>;
            /// Overwrites jobs.
            update_jobs(jobs: &[JobRow]) -> ();
            /// Sets watermark, next fire time and the bound of open runs of (unpaused) jobs that are locked.
            advance_jobs(jobs: &[Advance<'_>]) -> ();
            /// Lowers the bound of a job's open runs to that id. Its row is locked.
            lower_open_from(job: &str, run: u128) -> ();
            /// Deletes a job.
            delete_job(id: &str) -> ();
            /// Lists jobs with ids after that, in the order of their ids, whose watermark is over that, or whose
            /// fire times are of other time zone data.
            list_to_repair(after: &str, watermark_over: i64, zone_data: &str, limit: i64) -> Vec<String>;

            // Runs.

            /// Counts the runs of jobs that hold a slot or wait for one; jobs without any are left out.
            open_runs(jobs: &[OpenFrom<'_>]) -> Vec<OpenRuns>;
            /// Counts the runs of jobs that hold a slot; jobs without any are left out.
            live_runs(jobs: &[OpenFrom<'_>]) -> Vec<OpenRuns>;
            /// Fire times after the watermarks of jobs that have a run: the id of the job, and the fire time.
            claimed_times(jobs: &[ClaimedAfter<'_>]) -> Vec<(String, i64)>;
            /// The first queued runs of each job that this version can read, in the order of their ids.
            queue_heads(heads: &[HeadRow<'_>]) -> Vec<RunRow>;
            /// The runs of jobs that wait for a slot, in the order of their ids.
            queued_runs(job_ids: &[&str]) -> Vec<RunRow>;
            /// Inserts runs; those whose fire time is claimed already are left out. The ids of the others.
            insert_runs(runs: &[NewRun<'_>]) -> Vec<u128>;
            /// Makes runs that wait live on a node, started now.
            start_runs(runs: &[StartRow], node: i64, now: i64) -> ();
            /// Deletes runs.
            delete_runs(ids: &[u128]) -> ();
            /// Ends runs that wait, as cancelled, for this reason.
            cancel_queued(ids: &[u128], error: &str, now: i64) -> u64;
            /// Notes that the oldest run of each job that holds a slot is asked to stop.
            cancel_oldest(job_ids: &[&str]) -> ();
            /// Notes that a run is asked to stop, if it is live (`slot = 2` and `state = 1`). Whether it is.
            ask_run(id: u128) -> bool;
            /// Live runs of a node that were asked to stop.
            cancellations(node: i64) -> Vec<u128>;
            /// Live runs of a node (`slot = 2`). It is locked.
            held(node: i64) -> Vec<u128>;
            /// Ends live runs of a node that it holds as their rows say, if its lease goes on. The ids of those that it
            /// held so, or none where it is cheaper to say only that some were not: then the rows are read. An end
            /// with `holds_slot` leaves `slot = 2`.
            end_runs(node: i64, ends: &[EndRow<'_>]) -> Vec<u128>;
            /// Appends an attempt that has ended to `earlier_attempts` (at most the last 10) of live runs of a node
            /// that it holds as their rows say, if its lease goes on.
            retry_runs(node: i64, retries: &[RetryRow]) -> Vec<u128>;
            /// Notes that the body of an attempt has returned, of runs of a node that it holds as their rows say, if
            /// its lease goes on.
            end_bodies(node: i64, bodies: &[BodyRow]) -> Vec<u128>;
            /// Reads runs.
            runs(ids: &[u128]) -> Vec<RunRow>;
            /// Lists runs, by their ids, the newest first, with the names of their nodes.
            list_runs(filter: &RunFilter) -> Vec<RunRow>;

            // What was not run.

            /// Inserts records of skipped fire times.
            insert_skipped(skipped: &[SkippedRow]) -> ();
            /// Lists those with a `seq` below that, the newest first, each after its `seq`.
            list_skipped(job: Option<&str>, below: i64, limit: i64) -> Vec<(i64, SkippedRow)>;

            // Retention.

            /// Counts runs with ids in `(after, upto]`, at most `limit` of them in the order of their ids.
            tally_runs(after: u128, upto: u128, limit: i64) -> Tally;
            /// The ended run with an id in `(after, upto]` that has exactly `n` newer ended ones there.
            nth_newest_run(after: u128, upto: u128, n: i64) -> Option<u128>;
            /// Deletes ended runs (`slot = 0`) with ids below that, the oldest first, but those whose fire time
            /// is ahead of now. How many.
            prune_runs(below: u128, now: i64, limit: i64) -> u64;
            /// Counts skipped fire times with a `seq` in `(after, upto]`, at most `limit` of them in that order.
            tally_skipped(after: i64, upto: i64, limit: i64) -> Tally;
            /// The one with a `seq` in `(after, upto]` that has exactly `n` newer ones there.
            nth_newest_skipped(after: i64, upto: i64, n: i64) -> Option<i64>;
            /// Deletes skipped fire times that were decided before that, or have a `seq` up to `seq`. How many.
            prune_skipped(decided_before: i64, seq: i64, limit: i64) -> u64;
            /// Deletes dynamic jobs that ended before that and have no open runs. How many.
            prune_ended_jobs(before: i64, limit: i64) -> u64;
            /// Deletes nodes that are not alive and which no open run names: those that were last heard of before
            /// that, and those beyond the `keep` that started last; at most `limit` of them. How many.
            prune_nodes(before: i64, keep: i64, limit: i64) -> u64;

            // Nodes.

            /// The clock of the database.
            time() -> i64;
            /// Enters a node with a lease of so many microseconds; one that is there already gets a new lease.
            join_node(node: &NewNode, lease: i64) -> ();
            /// Renews the lease of a node that is alive; `None` if it is not. Watermarks and other nodes' heartbeats
            /// that are so much ahead of the clock need a repair.
            heartbeat(node: i64, lease: i64, ahead: i64) -> Option<HeartbeatRow>;
            /// Cuts leases of nodes that are alive and were heard of so much ahead of the clock: to their
            /// length, from now. How many.
            cut_leases(ahead: i64) -> u64;
            /// Whether the node is entered and no other one is, nor any whose runs are to be taken over; read
            /// without a lock. Never where rows are locked one by one.
            is_only_node(node: i64) -> bool;
            /// Takes a node out, unless it holds runs. It is locked.
            leave_node(node: i64) -> ();
            /// Locks a node against being taken over, if its lease goes on (`FOR KEY SHARE`). Whether it does.
            hold_lease(node: i64) -> bool;
            /// Waits for every transaction that holds the node's lease ([`hold_lease`](Self::hold_lease)) and has not
            /// ended, also where nobody waits for its COMMIT any more; and locks the node (`FOR UPDATE`). Heartbeats
            /// go on meanwhile.
            lock_node(node: i64) -> ();
            /// Locks (skipping) nodes that are alive by the flag and whose lease ran out (`FOR UPDATE`).
            lock_lost_nodes() -> Vec<i64>;
            /// Runs of nodes that hold a slot, in the order of their ids, after that id.
            runs_of(nodes: &[i64], after: u128, limit: i64) -> Vec<RunRow>;
            /// Settles runs that their nodes release, and those of nodes that are gone, each as its row says.
            requeue(runs: &[RequeueRow]) -> ();
            /// Ends leases for good: heartbeats of these nodes are refused from now on.
            end_leases(nodes: &[i64]) -> ();
            /// Clears the flag of nodes whose runs are settled.
            bury(nodes: &[i64]) -> ();
            /// Lists the nodes that are alive, the youngest first, and then that many of the others.
            list_nodes(gone: i64) -> Vec<NodeRow>;

            // Waking.

            /// Tells other nodes, when this transaction is committed, that places are free which something waits
            /// for: where one of the jobs of these runs has runs that wait.
            notify_of_slots(ids: &[u128]) -> ();
            /// Tells other nodes, when this transaction is committed, that something is due at `due` (or now).
            notify(due: i64) -> ();
        }
    };
}
pub(crate) use for_each_statement;

macro_rules! make_trait {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        /// A database that the store knows how to speak to.
        pub(crate) trait Backend: Sized + Send + Sync + 'static {
            /// The driver's type.
            type Db: sqlx::Database;

            /// Its name, for people.
            const NAME: &'static str;

            /// Begins a transaction that is going to write.
            const BEGIN: &'static str;

            /// Begins a transaction that only reads.
            const BEGIN_READ: &'static str;

            /// Whether one transaction writes at a time.
            const ONE_WRITER: bool;

            /// Returns `true` if all statements of a connection reach one session of the database. Otherwise
            /// each has to be inside a transaction.
            fn keeps_sessions(&self) -> bool {
                true
            }

            /// Records that they do not. Returns `true` if that was not known.
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
