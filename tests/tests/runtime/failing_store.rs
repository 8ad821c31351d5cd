//! A store that fails, or reports that something is due, on demand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::MemoryStore;
use scheduler_core::store::{
    Call, ClaimRequest, Intercept, Intercepted, Store, StoreError, StoreFuture, Wake,
};

/// The faults that can be switched on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failing {
    pub(crate) fails: Arc<AtomicBool>,
    /// Reports that something is due, whatever is claimed.
    pub(crate) always_due: Arc<AtomicBool>,
    /// The number of claims so far.
    pub(crate) claims: Arc<AtomicUsize>,
    /// If `true`, there is always more history to prune.
    pub(crate) always_prunes: Arc<AtomicBool>,
    /// The number of prune calls so far.
    pub(crate) prunes: Arc<AtomicUsize>,
}

/// Returns a memory store that fails on demand.
pub(crate) fn failing() -> Intercepted<Failing> {
    Intercepted::new(Arc::new(MemoryStore::new()), Failing::default())
}

impl Intercept for Failing {
    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        if call == Call::Claim {
            self.claims.fetch_add(1, Ordering::SeqCst);
        }
        if self.fails.load(Ordering::SeqCst) && call != Call::Prune {
            Box::pin(async { Err(StoreError::new("the disk is full")) })
        } else {
            carry_out()
        }
    }

    fn is_persistent(&self, _store: &dyn Store) -> bool {
        true
    }

    fn next_due<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        if self.always_due.load(Ordering::SeqCst) {
            return Box::pin(async { Ok(Some(DateTime::UNIX_EPOCH)) });
        }
        store.next_due(request)
    }

    fn prune<'a>(&'a self, _store: &'a dyn Store, _now: DateTime<Utc>) -> StoreFuture<'a, bool> {
        self.prunes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(self.always_prunes.load(Ordering::SeqCst))
        })
    }

    fn subscribe(&self, _store: &dyn Store, _wake: Wake) {}
}
