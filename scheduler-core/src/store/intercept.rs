//! Intercepting the calls that a scheduler makes to a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    CancelAnswer, CancelledRun, ClaimRequest, Claimed, Cluster, Edit, Edited, Finished, Heartbeat,
    History, Inserted, JobAnswer, JobQuery, Lease, ManualRequest, ManualRun, NewJob, NewNode,
    Repaired, SkippedQuery, Store, StoreError, StoreFuture, TakenOver, Wake,
};
use crate::id::RunId;
use crate::job_record::JobRecord;
use crate::node::{Node, NodeId};
use crate::reconcile::{Reconciled, StaticJob};
use crate::revision::Revision;
use crate::run::{Run, RunFilter};
use crate::skipped::Skipped;

/// A store that passes its calls through an [`Intercept`] to another store.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use scheduler_core::store::{Call, Intercept, Intercepted, StoreFuture};
/// use scheduler_core::{MemoryStore, Scheduler};
///
/// #[derive(Debug, Clone, Default)]
/// struct Counted(Arc<AtomicUsize>);
///
/// impl Intercept for Counted {
///     fn around<'a, T: Send + 'a>(
///         &'a self,
///         call: Call,
///         carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
///     ) -> StoreFuture<'a, T> {
///         if call == Call::Insert {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///         carry_out()
///     }
/// }
///
/// # #[scheduler_core::task]
/// # async fn nothing() {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let counted = Counted::default();
/// let store = Intercepted::new(Arc::new(MemoryStore::new()), counted.clone());
/// let scheduler = Scheduler::builder().without_static_jobs().store(store).start().await?;
/// scheduler.add_job(nothing::job().interval("1h")).await?;
/// assert_eq!(counted.0.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Intercepted<I> {
    store: Arc<dyn Store>,
    by: I,
}

impl<I: Intercept> Intercepted<I> {
    /// Lets `by` intercept the calls of a store.
    pub fn new(store: Arc<dyn Store>, by: I) -> Self {
        Self { store, by }
    }

    /// Returns the interceptor.
    pub fn by(&self) -> &I {
        &self.by
    }
}

fn no_cluster<'a, T: Send + 'a>() -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Err(StoreError::new(
        "the store knows no nodes",
    ))))
}

/// Generates the calls, their hooks and the intercepted store from one list.
macro_rules! calls {
    (
        store { $($store:ident: $of_store:ident($($store_arg:ident: $store_type:ty),*) -> $of_store_answer:ty;)* }
        history { $($history:ident: $of_history:ident($($history_arg:ident: $history_type:ty),*) -> $of_history_answer:ty;)* }
        cluster { $($cluster:ident: $of_cluster:ident($($cluster_arg:ident: $cluster_type:ty),*) -> $of_cluster_answer:ty;)* }
    ) => {
        /// An asynchronous call of a [`Store`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the method of its name")]
        #[non_exhaustive]
        pub enum Call {
            $($store,)*
            $($history,)*
            $($cluster,)*
        }

        impl Call {
            /// Returns the name of the method.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$store => stringify!($of_store),)*
                    $(Self::$history => stringify!($of_history),)*
                    $(Self::$cluster => stringify!($of_cluster),)*
                }
            }
        }

        /// Intercepts the calls from a scheduler to a store: for measurements, for fault injection in tests, or for a
        /// variant of a store in which some calls behave differently.
        ///
        /// Behavior common to all calls goes into [`around`](Self::around). Each call also has its own method, which
        /// receives the store and calls it unless overridden.
        pub trait Intercept: fmt::Debug + Send + Sync + 'static {
            /// Wraps each asynchronous call. `carry_out` does what this trait's own method for the call does.
            fn around<'a, T: Send + 'a>(
                &'a self,
                _call: Call,
                carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
            ) -> StoreFuture<'a, T> {
                carry_out()
            }

            $(
                #[doc = concat!("Intercepts [`Store::", stringify!($of_store), "`].")]
                fn $of_store<'a>(
                    &'a self,
                    store: &'a dyn Store,
                    $($store_arg: $store_type),*
                ) -> StoreFuture<'a, $of_store_answer> {
                    store.$of_store($($store_arg),*)
                }
            )*

            $(
                #[doc = concat!("Intercepts [`History::", stringify!($of_history), "`].")]
                fn $of_history<'a>(
                    &'a self,
                    store: &'a dyn Store,
                    $($history_arg: $history_type),*
                ) -> StoreFuture<'a, $of_history_answer> {
                    store.$of_history($($history_arg),*)
                }
            )*

            $(
                #[doc = concat!("Intercepts [`Cluster::", stringify!($of_cluster), "`].")]
                fn $of_cluster<'a>(
                    &'a self,
                    store: &'a dyn Store,
                    $($cluster_arg: $cluster_type),*
                ) -> StoreFuture<'a, $of_cluster_answer> {
                    match store.cluster() {
                        Some(cluster) => cluster.$of_cluster($($cluster_arg),*),
                        None => no_cluster(),
                    }
                }
            )*

            /// Returns `true` if there is a [`Store::cluster`], whose calls are then intercepted too.
            fn has_cluster(&self, store: &dyn Store) -> bool {
                store.cluster().is_some()
            }

            /// Intercepts [`Store::is_persistent`].
            fn is_persistent(&self, store: &dyn Store) -> bool {
                store.is_persistent()
            }

            /// Intercepts [`Store::subscribe`].
            fn subscribe(&self, store: &dyn Store, wake: Wake) {
                store.subscribe(wake);
            }

            /// Intercepts [`Store::notice`].
            fn notice(&self, store: &dyn Store) -> Option<Arc<str>> {
                store.notice()
            }

            /// Intercepts [`Store::poll_every`].
            fn poll_every(&self, store: &dyn Store) -> Duration {
                store.poll_every()
            }
        }

        // A method missing here would answer with the trait's default instead of the store's own answer.
        #[deny(clippy::missing_trait_methods)]
        #[expect(clippy::elidable_lifetime_names, reason = "types in the list name the lifetime")]
        impl<I: Intercept> Store for Intercepted<I> {
            $(
                fn $of_store<'a>(&'a self, $($store_arg: $store_type),*) -> StoreFuture<'a, $of_store_answer> {
                    let carry_out = move || self.by.$of_store(&*self.store, $($store_arg),*);
                    self.by.around(Call::$store, carry_out)
                }
            )*

            fn cluster(&self) -> Option<&dyn Cluster> {
                let has_cluster = self.by.has_cluster(&*self.store);
                has_cluster.then_some(self as &dyn Cluster)
            }

            fn is_persistent(&self) -> bool {
                self.by.is_persistent(&*self.store)
            }

            fn subscribe(&self, wake: Wake) {
                self.by.subscribe(&*self.store, wake);
            }

            fn notice(&self) -> Option<Arc<str>> {
                self.by.notice(&*self.store)
            }

            fn poll_every(&self) -> Duration {
                self.by.poll_every(&*self.store)
            }
        }

        #[deny(clippy::missing_trait_methods)]
        #[expect(clippy::elidable_lifetime_names, reason = "types in the list name the lifetime")]
        impl<I: Intercept> History for Intercepted<I> {
            $(
                fn $of_history<'a>(&'a self, $($history_arg: $history_type),*) -> StoreFuture<'a, $of_history_answer> {
                    let carry_out = move || self.by.$of_history(&*self.store, $($history_arg),*);
                    self.by.around(Call::$history, carry_out)
                }
            )*
        }

        #[deny(clippy::missing_trait_methods)]
        #[expect(clippy::elidable_lifetime_names, reason = "types in the list name the lifetime")]
        impl<I: Intercept> Cluster for Intercepted<I> {
            $(
                fn $of_cluster<'a>(&'a self, $($cluster_arg: $cluster_type),*) -> StoreFuture<'a, $of_cluster_answer> {
                    let carry_out = move || self.by.$of_cluster(&*self.store, $($cluster_arg),*);
                    self.by.around(Call::$cluster, carry_out)
                }
            )*
        }
    };
}

calls! {
    store {
        Insert: insert(jobs: Vec<NewJob>, now: DateTime<Utc>) -> Inserted;
        Reconcile: reconcile(jobs: Vec<StaticJob>, now: DateTime<Utc>) -> Vec<Reconciled>;
        GetJob: get_job(id: &'a str) -> Option<JobRecord>;
        ListJobs: list_jobs(query: &'a JobQuery) -> Vec<JobRecord>;
        Edit: edit(id: &'a str, edit: Edit<'a>, now: DateTime<Utc>) -> Option<Edited>;
        Remove: remove(id: &'a str, seen: Option<Revision>, now: DateTime<Utc>) -> JobAnswer<Edited>;
        Claim: claim(request: &'a ClaimRequest<'a>) -> Claimed;
        NextDue: next_due(request: &'a ClaimRequest<'a>) -> Option<DateTime<Utc>>;
        RunNow: run_now(request: &'a ManualRequest<'a>) -> JobAnswer<ManualRun>;
        Cancel: cancel(run: RunId, now: DateTime<Utc>) -> CancelAnswer;
        ListCancellations: list_cancellations(node: NodeId) -> Vec<RunId>;
        Finish: finish(node: NodeId, finished: Vec<Finished>) -> Vec<bool>;
        Release: release(node: NodeId, runs: Vec<RunId>, now: DateTime<Utc>) -> Vec<CancelledRun>;
        ListHeld: list_held(node: NodeId) -> Vec<RunId>;
        Repair: repair(now: DateTime<Utc>) -> Repaired;
        StoreTime: store_time() -> Option<DateTime<Utc>>;
    }
    history {
        ListRuns: list_runs(filter: &'a RunFilter) -> Vec<Run>;
        GetRun: get_run(id: RunId) -> Option<Run>;
        ListSkipped: list_skipped(query: &'a SkippedQuery) -> Vec<(u64, Skipped)>;
        Prune: prune(now: DateTime<Utc>) -> bool;
    }
    cluster {
        Join: join(node: &'a NewNode) -> Lease;
        Heartbeat: heartbeat(node: NodeId) -> Heartbeat;
        IsOnlyNode: is_only_node(node: NodeId) -> bool;
        Leave: leave(node: NodeId) -> ();
        TakeOver: take_over(now: DateTime<Utc>) -> TakenOver;
        ListNodes: list_nodes() -> Vec<Node>;
    }
}
