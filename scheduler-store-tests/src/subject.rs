//! A store under test, and what it says that it can do.

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

/// An empty store to be tested, and what it can do beyond the least.
///
/// A set-up makes a new one for every case.
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
    /// Tests this store, which has no jobs and no runs.
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

    /// Says that two processes may use the store at once: this is what the second one opened, on the
    /// same data.
    pub fn second_handle(mut self, store: impl Store) -> Self {
        self.second = Some(Arc::new(store));
        self
    }

    /// Declares that the store knows nodes, and how long their leases last.
    ///
    /// Leases are the store's own time, so cases wait for them to run out: give the store one of a
    /// second or two, or say how to [end one](Self::expire_with).
    pub fn lease(mut self, length: Duration) -> Self {
        self.lease = Some(length);
        self
    }

    /// Says how to make the lease of a node run out at once, so that no case has to wait for it.
    pub fn expire_with<F, Fut>(mut self, expire: F) -> Self
    where
        F: Fn(NodeId) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.expire = Some(Box::new(move |node| Box::pin(expire(node))));
        self
    }

    /// Says that [`prune`](scheduler_core::store::History::prune) deletes records that ended, or were skipped, that
    /// long ago.
    pub fn forgets_after(mut self, age: Duration) -> Self {
        self.forgets_after = Some(age);
        self
    }

    /// Declares that the store keeps at most that many ended runs, after a
    /// [`prune`](scheduler_core::store::History::prune) at the latest. Give it 500 at least, which no other case comes
    /// near, and 2,000 at most.
    pub fn keeps_runs(mut self, count: usize) -> Self {
        self.keeps_runs = Some(count);
        self
    }

    /// Keeps something until the stores are gone, such as the folder that their file is in.
    pub fn keep(mut self, value: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(value));
        self
    }

    /// Makes every call fail twice, once before and once after it was carried out, under a caller
    /// that [tries again](TriesAgain). Every case must pass all the same.
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
