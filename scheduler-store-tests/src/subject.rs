//! A store under test, and the capabilities that it declares.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use scheduler_core::NodeId;
use scheduler_core::store::{Intercepted, Store};

use crate::faults::Faults;
use crate::tries_again::TriesAgain;

type Expire = Box<dyn Fn(NodeId) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// An empty store to be tested, and what it can do beyond the minimum.
///
/// The set-up creates a new one for every case.
///
/// ```
/// use scheduler_core::MemoryStore;
/// use scheduler_store_tests::Subject;
///
/// let store = MemoryStore::new().keep_runs(1_000);
/// let subject = Subject::new(store.clone()).second_handle(store).keeps_runs(1_000);
/// ```
#[must_use = "a subject is given to `run_case`"]
pub struct Subject {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) second: Option<Arc<dyn Store>>,
    pub(crate) lease: Option<Duration>,
    pub(crate) expire: Option<Expire>,
    pub(crate) forgets_after: Option<Duration>,
    pub(crate) keeps_runs: Option<usize>,
    pub(crate) loses_answers: bool,
    /// Dropped after the stores.
    kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Subject {
    /// Creates a subject for this store, which must have no jobs and no runs.
    pub fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            second: None,
            lease: None,
            expire: None,
            forgets_after: None,
            keeps_runs: None,
            loses_answers: false,
            kept: Vec::new(),
        }
    }

    /// Declares that two processes may use the store at once: `store` is the handle that the second one opened, on
    /// the same data.
    pub fn second_handle(mut self, store: impl Store) -> Self {
        self.second = Some(Arc::new(store));
        self
    }

    /// Declares that the store supports nodes, and how long their leases last.
    ///
    /// Leases run on the store's own clock, so cases wait for them to expire: give the store leases of a second or
    /// two, or pass a function that [ends one](Self::expire_with).
    pub fn lease(mut self, length: Duration) -> Self {
        self.lease = Some(length);
        self
    }

    /// Sets a function that makes the lease of a node expire at once, so that no case has to wait for it.
    pub fn expire_with<F, Fut>(mut self, expire: F) -> Self
    where
        F: Fn(NodeId) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.expire = Some(Box::new(move |node| Box::pin(expire(node))));
        self
    }

    /// Declares that [`prune`](scheduler_core::store::History::prune) deletes records of runs that ended, and fire
    /// times that were skipped, at least this long ago.
    pub fn forgets_after(mut self, age: Duration) -> Self {
        self.forgets_after = Some(age);
        self
    }

    /// Declares that the store keeps at most `count` ended runs, after a
    /// [`prune`](scheduler_core::store::History::prune) at the latest. Set the store to at least 500, which no other
    /// case comes near, and at most 2,000.
    pub fn keeps_runs(mut self, count: usize) -> Self {
        self.keeps_runs = Some(count);
        self
    }

    /// Keeps a value until the stores are gone, such as the folder that contains their file.
    pub fn keep(mut self, value: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(value));
        self
    }

    /// Makes every call fail twice, once before and once after it was carried out, under a caller that
    /// [retries](TriesAgain). Every case must still pass.
    pub fn losing_answers(mut self) -> Self {
        self.store = losing_answers(self.store);
        self.second = self.second.map(losing_answers);
        self.loses_answers = true;
        self
    }
}

fn losing_answers(store: Arc<dyn Store>) -> Arc<dyn Store> {
    let faults = Faults::none();
    faults.each_call_twice();
    let losing = Intercepted::new(store, faults);
    Arc::new(Intercepted::new(Arc::new(losing), TriesAgain::default()))
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("store", &self.store)
            .field("second", &self.second)
            .field("lease", &self.lease)
            .field("loses_answers", &self.loses_answers)
            .field("kept", &self.kept.len())
            .finish_non_exhaustive()
    }
}
