//! What the handle, the executors and the driver of one store share.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};

use super::guarded_store::guarded;
use super::membership::Membership;
use super::order::Order;
use crate::clock::Clock;
use crate::error::Error;
use crate::executor::{Report, ReportSink};
use crate::health::{Duty, DutyFailure, LeaseHealth, StoreHealth};
use crate::id::RunId;
use crate::lock::lock;
use crate::metrics;
use crate::node::NodeId;
use crate::store::{ClaimedRun, Sleep, Store, StoreError, Wake};
use crate::store_clock::StoreClock;

/// How long a store may take to report its time. A start must not hang because one store does not answer.
const CLOCK_LIMIT: Duration = Duration::from_secs(10);

/// Input waiting for the driver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) reports: Vec<Report>,
    /// Manual runs, each with the identity under which this node holds it.
    pub(crate) manual: Vec<(NodeId, ClaimedRun)>,
    /// If `true`, the driver no longer starts runs.
    closed: bool,
    /// If `true`, the driver is gone. Input left in the inbox would keep itself alive: a report owns the run, which
    /// owns the scheduler and its stores.
    abandoned: bool,
}

#[derive(Debug, Default)]
struct Outside {
    runs: HashSet<RunId>,
    is_unconfirmed: bool,
}

/// A call outside the driver that may make this node hold a run. The run counts as known while this value lives. If
/// it is dropped before it is settled, the driver searches the store for the run.
pub(crate) struct AskedFor<'a> {
    port: &'a StorePort,
    run: RunId,
    is_unconfirmed: bool,
}

impl<'a> AskedFor<'a> {
    pub(crate) fn new(port: &'a StorePort, run: RunId) -> Self {
        port.lock_asked_for().runs.insert(run);
        Self {
            port,
            run,
            is_unconfirmed: true,
        }
    }

    /// Records that the answer has come. If there is a run, the driver knows it.
    pub(crate) fn settle(mut self) {
        self.is_unconfirmed = false;
    }
}

impl Drop for AskedFor<'_> {
    fn drop(&mut self) {
        let mut outside = self.port.lock_asked_for();
        outside.runs.remove(&self.run);
        outside.is_unconfirmed |= self.is_unconfirmed;
        drop(outside);
        if self.is_unconfirmed {
            self.port.wake();
        }
    }
}

/// One store, with access to its driver.
#[derive(Debug)]
pub(crate) struct StorePort {
    name: Arc<str>,
    store: Arc<dyn Store>,
    clock: Arc<StoreClock>,
    sleep: Arc<Sleep>,
    inbox: Mutex<Inbox>,
    order: watch::Sender<Option<Order>>,
    live: AtomicUsize,
    membership: Membership,
    /// The runs that calls outside the driver are about to hold, and whether the answer to such a call was lost.
    asked_for: Mutex<Outside>,
    node: Mutex<Option<NodeId>>,
    error: Mutex<Option<(DateTime<Utc>, Arc<str>)>>,
    /// If `true`, the driver cannot reach the store and keeps retrying.
    is_unreachable: AtomicBool,
    /// Notified when a call was refused because the store cannot be reached.
    wanted: Notify,
    failing_duties: Mutex<Vec<DutyFailure>>,
}

impl StorePort {
    pub(crate) fn new(name: Arc<str>, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            store: metrics::measured(&name, guarded(store)),
            clock: Arc::new(StoreClock::new(clock)),
            name,
            sleep: Arc::new(Sleep::new()),
            inbox: Mutex::default(),
            order: watch::Sender::new(None),
            live: AtomicUsize::new(0),
            membership: Membership::default(),
            asked_for: Mutex::default(),
            node: Mutex::default(),
            error: Mutex::default(),
            is_unreachable: AtomicBool::new(false),
            wanted: Notify::new(),
            failing_duties: Mutex::default(),
        })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Returns the store for a call of a handle, unless the driver knows that it cannot be reached. Such a call would
    /// wait for an answer that does not come.
    pub(crate) fn reach(&self) -> Result<&dyn Store, Error> {
        if !self.is_unreachable.load(Ordering::Acquire) {
            return Ok(self.store());
        }
        let failure = self.lock_error().clone();
        let Some((since, problem)) = failure else {
            return Ok(self.store());
        };
        self.wanted.notify_one();
        Err(Error::StoreUnreachable {
            store: self.name.to_string(),
            since,
            problem,
        })
    }

    /// Waits until a call is refused because the store cannot be reached.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    pub(crate) fn wake(&self) {
        self.sleep.wake();
    }

    /// Returns the handle with which others wake the driver.
    pub(crate) fn wake_handle(&self) -> Wake {
        Wake::new(&self.sleep)
    }

    pub(crate) fn set_asleep_until(&self, until: Option<DateTime<Utc>>) {
        self.sleep.set_until(until);
    }

    /// Returns the store's time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> &Arc<StoreClock> {
        &self.clock
    }

    /// Queries the store's time, unless that was done within the last minute, as heartbeats do.
    pub(crate) async fn measure_clock(&self) -> Result<Option<TimeDelta>, StoreError> {
        if self.is_unreachable.load(Ordering::Acquire) {
            return Ok(None);
        }
        let Some(asked) = self.clock.ask_if_old() else {
            return Ok(None);
        };
        let answer = tokio::time::timeout(CLOCK_LIMIT, self.store.store_time()).await;
        match answer.unwrap_or_else(|_| Err(StoreError::new("no answer when asked for its time"))) {
            Ok(time) => Ok(self.clock.answered(asked, time)),
            Err(error) => {
                self.clock.not_answered(asked);
                Err(error)
            }
        }
    }

    /// Returns the warning to give when the clocks differ.
    pub(crate) fn clocks_differ(&self, offset: TimeDelta) -> String {
        let offset_ms = offset.num_milliseconds();
        tracing::warn!(store = %self.name, offset_ms, "clocks differ");
        format!(
            "the clock of this node and that of store `{}` are {offset_ms} ms apart; the store's holds",
            self.name
        )
    }

    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Returns the identity of this node if it may hold runs at present.
    pub(crate) fn node(&self) -> Option<NodeId> {
        *lock(&self.node)
    }

    pub(crate) fn set_node(&self, node: Option<NodeId>) {
        *lock(&self.node) = node;
    }

    /// Returns the runs that calls outside the driver are about to hold. Each stays here until it is in the
    /// [inbox](Self::take_inbox), so a reader of both must read this first.
    pub(crate) fn asked_for(&self) -> HashSet<RunId> {
        self.lock_asked_for().runs.clone()
    }

    pub(crate) fn take_unconfirmed(&self) -> bool {
        std::mem::take(&mut self.lock_asked_for().is_unconfirmed)
    }

    fn lock_asked_for(&self) -> std::sync::MutexGuard<'_, Outside> {
        lock(&self.asked_for)
    }

    pub(crate) async fn woken(&self) {
        self.sleep.woken().await;
    }

    /// Hands a run that this node holds to the driver. Returns the run if the driver no longer starts runs.
    pub(crate) fn start(&self, node: NodeId, run: ClaimedRun) -> Result<(), ClaimedRun> {
        let mut inbox = lock(&self.inbox);
        if inbox.closed {
            return Err(run);
        }
        inbox.manual.push((node, run));
        drop(inbox);
        self.wake();
        Ok(())
    }

    /// Accepts no more runs to start.
    pub(crate) fn close(&self) {
        let mut inbox = lock(&self.inbox);
        inbox.closed = true;
    }

    pub(crate) fn take_inbox(&self) -> Inbox {
        let mut inbox = lock(&self.inbox);
        let (closed, abandoned) = (inbox.closed, inbox.abandoned);
        // About as many will follow, so this avoids growing the vector step by step.
        let reports = Vec::with_capacity(inbox.reports.len());
        std::mem::replace(
            &mut *inbox,
            Inbox {
                reports,
                closed,
                abandoned,
                ..Inbox::default()
            },
        )
    }

    /// Discards the input that the driver has not taken and any that follows, because the driver is gone.
    pub(crate) fn abandon(&self) {
        let mut inbox = lock(&self.inbox);
        (inbox.closed, inbox.abandoned) = (true, true);
        // There is no longer a driver that checks whether the store can be reached.
        self.is_unreachable.store(false, Ordering::Release);
        drop(inbox);
        drop(self.take_inbox());
    }

    pub(crate) fn sink(self: &Arc<Self>) -> ReportSink {
        let port = self.clone();
        Arc::new(move |report: Report| {
            let mut inbox = lock(&port.inbox);
            if inbox.abandoned {
                return;
            }
            inbox.reports.push(report);
            let is_first = inbox.reports.len() == 1;
            drop(inbox);
            // Only the first report wakes the driver, which takes all reports that are there by then.
            if is_first {
                port.wake();
            }
        })
    }

    /// Orders the driver to stop.
    pub(crate) fn order(&self, order: Order) {
        self.order.send_modify(|present| match present {
            Some(present) => present.merge(order),
            None => *present = Some(order),
        });
    }

    pub(crate) fn orders(&self) -> watch::Receiver<Option<Order>> {
        self.order.subscribe()
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn set_live(&self, count: usize) {
        self.live.store(count, Ordering::Relaxed);
    }

    fn lock_error(&self) -> std::sync::MutexGuard<'_, Option<(DateTime<Utc>, Arc<str>)>> {
        lock(&self.error)
    }

    pub(crate) fn set_error(&self, error: Option<(DateTime<Utc>, Arc<str>)>, is_unreachable: bool) {
        let mut slot = self.lock_error();
        *slot = match (slot.take(), error) {
            // The failure continues: keeps its start, and takes the newest text.
            (Some((since, _)), Some((_, text))) => Some((since, text)),
            (_, error) => error,
        };
        self.is_unreachable.store(is_unreachable, Ordering::Release);
    }

    fn lock_duties(&self) -> std::sync::MutexGuard<'_, Vec<DutyFailure>> {
        lock(&self.failing_duties)
    }

    /// Records that a duty fails. Keeps the start of the failure, and takes the store's newest error.
    pub(crate) fn duty_failed(&self, duty: Duty, now: DateTime<Utc>, error: Arc<str>) {
        let mut failing = self.lock_duties();
        match failing.iter_mut().find(|failure| failure.duty == duty) {
            Some(failure) => failure.error = error,
            None => failing.push(DutyFailure {
                duty,
                since: now,
                error,
            }),
        }
    }

    pub(crate) fn duty_succeeded(&self, duty: Duty) {
        self.lock_duties().retain(|failure| failure.duty != duty);
    }

    pub(crate) fn health(&self) -> StoreHealth {
        let error = self.lock_error().clone();
        StoreHealth {
            name: self.name.clone(),
            error,
            lease: self.membership.state().map(|lease| LeaseHealth {
                node: lease.node,
                valid_until: self.now() + lease.left,
                clock_offset: self.clock.offset(),
            }),
            failing_duties: self.lock_duties().clone(),
            notice: self.store().notice(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::executor::ReportEvent;
    use crate::store::MemoryStore;

    #[test]
    fn report_that_no_driver_takes_keeps_nothing_alive() {
        let port = StorePort::new(
            "default".into(),
            Arc::new(MemoryStore::new()),
            Arc::new(SystemClock),
        );
        let sink = port.sink();
        let context = crate::testing::context("job").unwrap();
        let report = || Report {
            run: context.0.clone(),
            started_at: DateTime::UNIX_EPOCH,
            finished_at: DateTime::UNIX_EPOCH,
            event: ReportEvent::BodyReturned,
        };
        sink(report());
        assert_eq!(Arc::strong_count(&context.0), 2);
        port.abandon();
        assert_eq!(Arc::strong_count(&context.0), 1);
        sink(report());
        assert_eq!(Arc::strong_count(&context.0), 1);
    }
}
