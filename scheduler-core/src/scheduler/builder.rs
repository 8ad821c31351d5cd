//! Configuring a scheduler.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use scheduler_triggers::Zone;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, StartErrors};
use crate::executor::{Executor, LocalExecutor, SYNC_NAME, SharedExecutor, shared};
use crate::named::Named;
use crate::overrides::Overrides;
use crate::policy::{DEFAULT_NAME, PolicyPatch};
use crate::redaction::Redaction;
use crate::store::{MemoryStore, Store};
use crate::task::data::DataMap;

use super::Scheduler;

/// Selects which of the jobs defined in code are scheduled.
#[derive(Debug, Clone)]
pub(super) enum Selection {
    All,
    Only(HashSet<String>),
    None,
}

/// Configures a scheduler; created by [`Scheduler::builder`].
///
/// Everything has a default:
///
/// | what | default | set by |
/// | --- | --- | --- |
/// | store `default` | a [`MemoryStore`] | [`store`](Self::store) |
/// | executors | `default`: 10,000 async runs at once; `sync`: 32 threads | [`executor`](Self::executor) |
/// | time zone of triggers that name none | UTC | [`timezone`](Self::timezone) |
/// | policies | those of [`Policies`](crate::Policies) | [`defaults`](Self::defaults) |
/// | jobs of the code | all | [`only`](Self::only), [`without_static_jobs`](Self::without_static_jobs) |
/// | jobs per claim | 1,000 | [`claim_batch`](Self::claim_batch) |
/// | events kept for slow listeners | 4,096 | [`event_capacity`](Self::event_capacity) |
///
/// The methods only collect settings; [`start`](Self::start) reports all errors in them at once.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::{LocalExecutor, MemoryStore, PolicyPatch, Zone};
///
/// struct Mailer;
///
/// #[task]
/// async fn send_invoices(mailer: Data<Mailer>) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let scheduler = Scheduler::builder()
///     .named_store("scratch", MemoryStore::new().keep_runs(100))
///     .executor("mail", LocalExecutor::with_limit(2))
///     .data(Mailer)
///     .timezone(Tz::Europe__Berlin)
///     .defaults(PolicyPatch::new().retries(2))
///     .claim_batch(100)
///     .event_capacity(1_024)
/// #   .without_static_jobs()
///     .start()
///     .await?;
///
/// let invoices = send_invoices::job().id("invoices").cron("0 6 * * *");
/// let job = scheduler.add_job(invoices.executor("mail").store("scratch")).await?;
/// assert_eq!(job.policies.retries, 2);
/// assert_eq!(job.trigger.zone(), Some(Zone::Europe__Berlin));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a scheduler runs nothing before `.start().await`"]
pub struct Builder {
    pub(super) stores: Named<Arc<dyn Store>>,
    pub(super) executors: Named<Arc<SharedExecutor>>,
    pub(super) data: DataMap,
    pub(super) zone: Zone,
    pub(super) defaults: PolicyPatch,
    pub(super) overrides: Overrides,
    pub(super) selection: Selection,
    pub(super) expected_jobs: Vec<String>,
    pub(super) is_client: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) batch: usize,
    pub(super) event_capacity: usize,
    pub(super) node_name: Option<Arc<str>>,
    pub(super) node_version: Arc<str>,
    pub(super) identity_seed: Option<u64>,
    pub(super) redaction: Redaction,
}

impl Builder {
    pub(super) fn new() -> Self {
        let mut executors: Named<Arc<SharedExecutor>> = Named::default();
        executors.insert(DEFAULT_NAME.into(), shared(LocalExecutor::default_async()));
        executors.insert(SYNC_NAME.into(), shared(LocalExecutor::default_sync()));
        Self {
            stores: Named::default(),
            executors,
            data: DataMap::default(),
            zone: Zone::UTC,
            defaults: PolicyPatch::default(),
            overrides: Overrides::default(),
            selection: Selection::All,
            expected_jobs: Vec::new(),
            is_client: false,
            clock: Arc::new(SystemClock),
            batch: 1_000,
            event_capacity: 4_096,
            node_name: None,
            node_version: "".into(),
            identity_seed: None,
            redaction: Redaction::default(),
        }
    }

    /// Keeps jobs that name no store in this one instead of in memory.
    ///
    /// ```
    /// use scheduler_core::MemoryStore;
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn warm_cache() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let store = MemoryStore::new();
    /// let first = Scheduler::builder().store(store.clone())
    /// #   .without_static_jobs()
    ///     .start().await?;
    /// first.add_job(warm_cache::job().id("cache").interval("5m")).await?;
    /// first.shutdown(Shutdown::wait()).await;
    ///
    /// // Another scheduler over the same store finds the job.
    /// let second = Scheduler::builder().store(store)
    /// #   .without_static_jobs()
    ///     .start().await?;
    /// assert!(second.get_job("cache").await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(self, store: impl Store) -> Self {
        self.named_store(DEFAULT_NAME, store)
    }

    /// Keeps jobs that name this store in it. A second store with the same name replaces the first.
    ///
    /// An id belongs to one job across all stores. The type's [example](Builder) has a named store.
    pub fn named_store(mut self, name: impl Into<Arc<str>>, store: impl Store) -> Self {
        self.stores.insert(name.into(), Arc::new(store));
        self
    }

    /// Adds an executor, or replaces `"default"` (async tasks) or `"sync"` (sync tasks).
    ///
    /// A [`LocalExecutor`] carries out runs in this process; implement [`Executor`] to carry them out elsewhere. Jobs
    /// choose an executor with the policy `executor`. A full executor does not delay the jobs of another. The type's
    /// [example](Builder) adds one.
    pub fn executor(mut self, name: impl Into<Arc<str>>, executor: impl Executor) -> Self {
        self.executors.insert(name.into(), shared(executor));
        self
    }

    /// Provides a value to tasks that use [`Data<T>`](crate::Data).
    ///
    /// There is one value per type: a second one replaces the first. Pass a value that is already in an [`Arc`] to
    /// [`shared_data`](Self::shared_data). The type's [example](Builder) provides one.
    ///
    /// A missing value is an error of [`start`](Self::start) if a job defined in code that this scheduler runs needs
    /// it, and of [`add_job`](Scheduler::add_job) otherwise ([`Error::MissingData`]; not on a
    /// [`client`](Self::client), which runs nothing). Each process that shares a store provides what the tasks that
    /// it runs need: stored jobs whose values a node lacks, including manual runs of them, are left to nodes that
    /// have them.
    pub fn data<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_data(Arc::new(value))
    }

    /// Provides a value that the application already shares, without another [`Arc`] around it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// use scheduler_core::prelude::*;
    /// # use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn count_visit(visits: Data<AtomicU32>) {
    ///     visits.fetch_add(1, Ordering::Relaxed);
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let visits = Arc::new(AtomicU32::new(0));
    /// let scheduler = Scheduler::builder()
    ///     .shared_data(visits.clone())
    /// #   .clock(clock.clone()).without_static_jobs()
    ///     .start()
    ///     .await?;
    /// scheduler.add_job(count_visit::job().trigger(Trigger::now())).await?;
    /// # clock.settle().await;
    /// assert_eq!(visits.load(Ordering::Relaxed), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn shared_data<T: ?Sized + Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.data.insert(value);
        self
    }

    /// Sets the time zone of triggers that name none (default: UTC).
    ///
    /// The zone is stored with a job when it is added: changing the default later affects only jobs defined in code.
    /// The type's [example](Builder) sets one.
    pub fn timezone(mut self, zone: impl Into<Zone>) -> Self {
        self.zone = zone.into();
        self
    }

    /// Sets policies for jobs that do not set them themselves.
    ///
    /// The more specific setting wins: a job's own policies, then these, then the built-in ones. For a job defined in
    /// code, [`overrides`](Self::overrides) win over its attribute. The type's [example](Builder) sets `retries`.
    pub fn defaults(mut self, policies: PolicyPatch) -> Self {
        self.defaults = policies;
        self
    }

    /// Overrides triggers and policies of jobs defined in code.
    ///
    /// Intended for a configuration file: [`Overrides`] can be read from any serde source. An id that does not belong
    /// to a job defined in code is an error of [`start`](Self::start).
    ///
    /// ```
    /// use scheduler_core::Overrides;
    /// use scheduler_core::prelude::*;
    ///
    /// #[scheduled_job(interval = "1h", id = "refresh_rates")]
    /// async fn refresh_rates() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{"refresh_rates": {"trigger": "every 5m"}}"#;
    /// let overrides: Overrides = serde_json::from_str(text)?;
    /// let scheduler = Scheduler::builder()
    ///     .overrides(overrides)
    ///     .only(["refresh_rates"])
    ///     .start()
    ///     .await?;
    /// let job = scheduler.get_job("refresh_rates").await?.ok_or("no such job")?;
    /// assert_eq!(job.trigger.interval_length().map(|every| every.as_secs()), Some(300));
    /// # Ok(())
    /// # }
    /// ```
    pub fn overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// Sets the name of this process among the nodes of a shared store, for people to read, which also appears in the
    /// record of each run. The default is the machine's name and the process id.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let scheduler = Scheduler::builder()
    ///     .node_name("worker-3")
    ///     .node_version(env!("CARGO_PKG_VERSION"))
    /// #   .without_static_jobs()
    ///     .start()
    ///     .await?;
    /// assert!(scheduler.list_nodes().await?.is_empty()); // a memory store is for one process
    /// # Ok(())
    /// # }
    /// ```
    pub fn node_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.node_name = Some(name.into());
        self
    }

    /// Sets the version of this program that other nodes of a store see, for people to read.
    /// [`node_name`](Self::node_name) has an example.
    pub fn node_version(mut self, version: impl Into<Arc<str>>) -> Self {
        self.node_version = version.into();
        self
    }

    /// Derives the identity of this node and the ids of its runs from a seed, for simulations that must be
    /// reproducible. No two processes may share a seed.
    #[doc(hidden)]
    pub fn identity_seed(mut self, seed: u64) -> Self {
        self.identity_seed = Some(seed);
        self
    }

    /// Schedules only these of the jobs defined in code; for tests, and for nodes that run some of them.
    ///
    /// An id that does not belong to a job defined in code is an error of [`start`](Self::start).
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[scheduled_job(interval = "1h", id = "expire_carts")]
    /// async fn expire_carts() {}
    ///
    /// #[scheduled_job(cron = "0 3 * * *", id = "compact_tables")]
    /// async fn compact_tables() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let scheduler = Scheduler::builder().only(["expire_carts"]).start().await?;
    /// let jobs = scheduler.get_jobs().await?;
    /// assert_eq!(jobs.len(), 1);
    /// assert_eq!(jobs[0].id, "expire_carts");
    /// # Ok(())
    /// # }
    /// ```
    pub fn only<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.selection = Selection::Only(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Applies this function to the error text of each attempt before it is stored, logged, published as an event or
    /// shown.
    ///
    /// Error texts often contain sensitive details: a connection string with its password, a customer's address. They
    /// are stored with the runs, and everyone with access to the page can read them. The function receives the error
    /// of a failed attempt, with its sources, or the message of a panic, at most 8 KiB, and returns the text to keep.
    /// If it panics, the text is withheld. From a longer text, the last 256 bytes are removed as well, because a
    /// password may have been cut in two. Values that runs return are kept unchanged, and so are panics outside of
    /// tasks: of a custom trigger (in the note of the job that it pauses), of a default (in the error of `add_job`),
    /// and of a store or an executor (in the log). The program's panic hook still prints the messages of panics.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::RunFilter;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn sync_crm() -> Result<(), &'static str> {
    ///     Err("cannot connect to postgres://app:hunter2@db/crm")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let scheduler = Scheduler::builder()
    ///     .redact(|text| text.replace("hunter2", "***"))
    /// #   .clock(clock.clone())
    /// #   .without_static_jobs()
    ///     .start()
    ///     .await?;
    /// scheduler.add_job(sync_crm::job().id("crm").trigger(Trigger::now())).await?;
    /// # clock.advance(TimeDelta::minutes(1)).await;
    /// let run = &scheduler.list_runs(&RunFilter::new()).await?.items[0];
    /// assert_eq!(run.error.as_deref(), Some("cannot connect to postgres://app:***@db/crm"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn redact(mut self, redact: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.redaction = Redaction::new(redact);
        self
    }

    /// Makes [`start`](Self::start) fail unless this program defines jobs with these ids.
    ///
    /// The linker leaves out a library crate that nothing in the program names, together with its jobs, which would
    /// then silently never run. [`include_jobs!`](crate::include_jobs) names the crate; this verifies it. A second
    /// call adds to the first.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[scheduled_job(interval = "1h", id = "close_accounts")]
    /// async fn close_accounts() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let builder = Scheduler::builder().expect_jobs(["close_accounts"]);
    /// # let builder = builder.only(["close_accounts"]);
    /// assert!(builder.start().await.is_ok());
    ///
    /// let builder = Scheduler::builder().expect_jobs(["close_accounts", "charge_tenants"]);
    /// # let builder = builder.only(["close_accounts"]);
    /// let error = builder.start().await.unwrap_err();
    /// assert!(error.to_string().contains("`charge_tenants`"));
    /// # }
    /// ```
    pub fn expect_jobs<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.expected_jobs.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Schedules none of the jobs defined in code. Jobs can still be added.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[scheduled_job(interval = "1h", id = "purge_logs")]
    /// async fn purge_logs() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// assert!(scheduler.get_jobs().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn without_static_jobs(mut self) -> Self {
        self.selection = Selection::None;
        self
    }

    /// Adds and changes jobs for other nodes of a shared store, and runs nothing itself.
    ///
    /// A client needs no `.data(…)` and no `.executor(…)`, and does not change the stored jobs that are defined in
    /// code. It must still have the tasks of the jobs that it adds, because it checks their arguments. It cannot
    /// check the executors that they name: a job whose executor exists on no node does not run.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{MemoryStore, RunFilter};
    ///
    /// #[task]
    /// async fn resize_image(key: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// let store = MemoryStore::new();
    /// let client = Scheduler::builder()
    ///     .client()
    ///     .store(store.clone())
    /// #   .clock(clock.clone())
    ///     .start()
    ///     .await?;
    /// client.add_job(resize_image::job("a.png".into()).trigger(Trigger::now())).await?;
    ///
    /// // The node, usually another process, finds the job in the store.
    /// let node = Scheduler::builder()
    ///     .store(store)
    /// #   .clock(clock.clone())
    ///     .without_static_jobs()
    ///     .start()
    ///     .await?;
    /// # clock.advance(TimeDelta::minutes(1)).await;
    /// assert_eq!(node.list_runs(&RunFilter::new()).await?.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn client(mut self) -> Self {
        self.is_client = true;
        self
    }

    /// Reads the time from this clock instead of the [`SystemClock`]; for tests.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn open_market() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = VirtualClock::at("2026-01-01T08:00:00Z")?;
    /// let scheduler = Scheduler::builder().clock(clock).without_static_jobs().start().await?;
    /// let job = scheduler.add_job(open_market::job().cron("0 9 * * *")).await?;
    /// assert_eq!(job.next_run_time(), Some("2026-01-01T09:00:00Z".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the maximum number of jobs claimed in one transaction: 1,000 by default, at least 1.
    ///
    /// The rest is claimed right after it. The type's [example](Builder) sets it.
    pub fn claim_batch(mut self, count: usize) -> Self {
        self.batch = count.max(1);
        self
    }

    /// Sets how many events are kept for slow listeners: 4,096 by default, at least 1.
    ///
    /// A listener that is further behind misses the oldest events and is notified of that. The type's
    /// [example](Builder) sets it.
    pub fn event_capacity(mut self, count: usize) -> Self {
        self.event_capacity = count;
        self
    }

    /// Checks everything, brings the store up to date and starts running jobs.
    ///
    /// # Errors
    /// Returns [`Error::Start`] with every error found, before anything runs, or [`Error::Store`] if a store cannot
    /// be reached.
    ///
    /// # Panics
    /// Panics outside a tokio runtime, like `tokio::spawn`.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{Error, PolicyPatch};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let started = Scheduler::builder()
    ///     .only(["no_such_job"])
    ///     .defaults(PolicyPatch::new().max_instances(0))
    ///     .start()
    ///     .await;
    /// let Err(Error::Start(mistakes)) = started else {
    ///     panic!("two mistakes");
    /// };
    /// assert_eq!(mistakes.iter().count(), 2);
    /// # }
    /// ```
    pub async fn start(self) -> Result<Scheduler, Error> {
        self.begin().await
    }

    /// Boxed here, so that the whole scheduler is compiled with this crate. The futures that an `async` function
    /// awaits are compiled again in each program that awaits it.
    #[inline(never)]
    fn begin(mut self) -> Pin<Box<dyn Future<Output = Result<Scheduler, Error>> + Send>> {
        self.stores
            .get_or_insert_with(DEFAULT_NAME, || Arc::new(MemoryStore::new()));
        Box::pin(async move {
            let (stores, warnings, answered) = super::start::open(&self).await;
            let (checked, errors) = super::start::check(self, stores).await;
            if !errors.is_empty() {
                return Err(Error::Start(StartErrors(errors)));
            }
            answered?;
            super::start::launch(checked, warnings).await
        })
    }
}
