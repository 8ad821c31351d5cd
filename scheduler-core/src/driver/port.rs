//! What the handle, the executors and the driver of one store share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};

use super::stop::Order;
use crate::executor::{Report, Reporter};
use crate::health::StoreHealth;
use crate::id::RunId;
use crate::store::{ClaimedRun, Store};

/// What waits for the driver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) reports: Vec<Report>,
    /// Runs started by hand, which this node holds already.
    pub(crate) manual: Vec<ClaimedRun>,
    /// Runs to be asked to stop.
    pub(crate) cancel: Vec<RunId>,
    /// Whether the driver starts nothing any more.
    closed: bool,
}

/// One store, and the door to its driver.
#[derive(Debug)]
pub(crate) struct StorePort {
    name: Arc<str>,
    store: Arc<dyn Store>,
    wake: Notify,
    inbox: Mutex<Inbox>,
    order: watch::Sender<Option<Order>>,
    live: AtomicUsize,
    error: Mutex<Option<(DateTime<Utc>, Arc<str>)>>,
}

impl StorePort {
    pub(crate) fn new(name: Arc<str>, store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            name,
            store,
            wake: Notify::new(),
            inbox: Mutex::default(),
            order: watch::Sender::new(None),
            live: AtomicUsize::new(0),
            error: Mutex::default(),
        })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Puts something into the driver's inbox and wakes it.
    pub(crate) fn send(&self, put: impl FnOnce(&mut Inbox)) {
        put(&mut self.inbox.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake();
    }

    /// Hands a run that this node holds to the driver; comes back when that starts nothing more.
    pub(crate) fn start(&self, run: ClaimedRun) -> Result<(), ClaimedRun> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if inbox.closed {
            return Err(run);
        }
        inbox.manual.push(run);
        drop(inbox);
        self.wake();
        Ok(())
    }

    /// Takes no more runs to start.
    pub(super) fn close(&self) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.closed = true;
    }

    pub(super) fn take_inbox(&self) -> Inbox {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = inbox.closed;
        std::mem::replace(
            &mut *inbox,
            Inbox {
                closed,
                ..Inbox::default()
            },
        )
    }

    pub(super) fn reporter(self: &Arc<Self>) -> Reporter {
        let port = self.clone();
        Arc::new(move |report: Report| port.send(|inbox| inbox.reports.push(report)))
    }

    /// Orders the driver to stop.
    pub(crate) fn order(&self, order: Order) {
        self.order.send_modify(|present| match present {
            Some(present) => present.merge(order),
            None => *present = Some(order),
        });
    }

    pub(super) fn orders(&self) -> watch::Receiver<Option<Order>> {
        self.order.subscribe()
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub(super) fn set_live(&self, count: usize) {
        self.live.store(count, Ordering::Relaxed);
    }

    pub(super) fn set_error(&self, error: Option<(DateTime<Utc>, Arc<str>)>) {
        let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = match (slot.take(), error) {
            // The failure goes on: since when stays, what it says is the newest.
            (Some((since, _)), Some((_, text))) => Some((since, text)),
            (_, error) => error,
        };
    }

    pub(crate) fn health(&self) -> StoreHealth {
        let error = self
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        StoreHealth {
            name: self.name.clone(),
            error,
        }
    }
}
