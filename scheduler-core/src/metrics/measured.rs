//! Measuring store calls.

use std::sync::Arc;

use super::recorded::store_answered;
use crate::clock::monotonic_now;
use crate::store::{Call, Intercept, StoreFuture};

/// Measures how long each call of a store takes, and whether it fails.
#[derive(Debug)]
pub(super) struct Measured {
    /// The store's name.
    pub(super) name: Arc<str>,
}

impl Intercept for Measured {
    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let asked = monotonic_now();
            let answer = carry_out().await;
            store_answered(&self.name, call.name(), asked.elapsed(), answer.is_ok());
            answer
        })
    }
}
