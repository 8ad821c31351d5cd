//! Setting up a scheduler.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use scheduler_triggers::Zone;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, StartErrors};
use crate::executor::{Executor, SYNC_NAME};
use crate::overrides::Overrides;
use crate::policy::{DEFAULT_NAME, PolicyPatch};
use crate::store::{MemoryStore, Store};
use crate::task::data::DataMap;

use super::Scheduler;

/// Which of the jobs written in the code are scheduled.
#[derive(Debug, Clone)]
pub(super) enum Selection {
    All,
    Only(HashSet<String>),
    None,
}

/// Sets up a scheduler; made by [`Scheduler::builder`].
///
/// Everything has a default: a memory store, the time zone UTC, up to 10,000 async and 32 sync runs
/// at once.
#[derive(Debug)]
#[must_use = "a scheduler runs nothing before `.start().await`"]
pub struct Builder {
    pub(super) stores: BTreeMap<Arc<str>, Arc<dyn Store>>,
    pub(super) executors: BTreeMap<Arc<str>, Executor>,
    pub(super) data: DataMap,
    pub(super) zone: Zone,
    pub(super) defaults: PolicyPatch,
    pub(super) overrides: Overrides,
    pub(super) selection: Selection,
    pub(super) is_client: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) batch: usize,
    pub(super) event_capacity: usize,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            stores: BTreeMap::new(),
            executors: BTreeMap::from([
                (DEFAULT_NAME.into(), Executor::default_async()),
                (SYNC_NAME.into(), Executor::default_sync()),
            ]),
            data: DataMap::default(),
            zone: Zone::UTC,
            defaults: PolicyPatch::default(),
            overrides: Overrides::default(),
            selection: Selection::All,
            is_client: false,
            clock: Arc::new(SystemClock),
            batch: 1_000,
            event_capacity: 4_096,
        }
    }

    /// Keeps jobs that name no store in this one, instead of in memory.
    pub fn store(self, store: impl Store) -> Self {
        self.named_store(DEFAULT_NAME, store)
    }

    /// Keeps jobs that name this store in it.
    pub fn named_store(mut self, name: impl Into<Arc<str>>, store: impl Store) -> Self {
        self.stores.insert(name.into(), Arc::new(store));
        self
    }

    /// Adds an executor, or sets up `"default"` (async tasks) or `"sync"` (sync tasks).
    pub fn executor(mut self, name: impl Into<Arc<str>>, executor: Executor) -> Self {
        self.executors.insert(name.into(), executor);
        self
    }

    /// Provides a value to tasks that ask for `Data<T>`. A second value of a type takes the place of
    /// the first.
    pub fn data<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_data(Arc::new(value))
    }

    /// Provides a value that the application shares already.
    pub fn shared_data<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.data.insert(value);
        self
    }

    /// Sets the time zone of triggers that name none (UTC unless given).
    pub fn timezone(mut self, zone: impl Into<Zone>) -> Self {
        self.zone = zone.into();
        self
    }

    /// Sets policies for jobs that do not name them themselves.
    pub fn defaults(mut self, policies: PolicyPatch) -> Self {
        self.defaults = policies;
        self
    }

    /// Changes triggers and policies of jobs written in the code; these go before what the code says.
    pub fn overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// Schedules only these of the jobs written in the code.
    pub fn only<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.selection = Selection::Only(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Schedules none of the jobs written in the code.
    pub fn without_static_jobs(mut self) -> Self {
        self.selection = Selection::None;
        self
    }

    /// Adds and changes jobs for other nodes of a shared store, and runs nothing itself.
    pub fn client(mut self) -> Self {
        self.is_client = true;
        self
    }

    /// Reads the time from this clock (see [`testing`](crate::testing)).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Claims at most so many jobs at once (1,000 unless given).
    pub fn claim_batch(mut self, count: usize) -> Self {
        self.batch = count.max(1);
        self
    }

    /// Keeps so many events for slow listeners (4,096 unless given).
    pub fn event_capacity(mut self, count: usize) -> Self {
        self.event_capacity = count;
        self
    }

    /// Checks everything, brings the store up to date and starts to run.
    ///
    /// # Errors
    /// [`Error::Start`] with every mistake found, before anything runs; [`Error::Store`] when a store
    /// cannot be reached.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn` does.
    pub async fn start(mut self) -> Result<Scheduler, Error> {
        self.stores
            .entry(DEFAULT_NAME.into())
            .or_insert_with(|| Arc::new(MemoryStore::new()));
        let (checked, errors) = super::start::check(self);
        if !errors.is_empty() {
            return Err(Error::Start(StartErrors(errors)));
        }
        super::start::launch(checked).await
    }
}
