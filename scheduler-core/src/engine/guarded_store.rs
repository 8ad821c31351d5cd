//! Treats a panic in a store as a failed call, like any other error.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use crate::panic::panic_text;
use crate::store::{Call, Intercept, Intercepted, Store, StoreError, StoreFuture};

/// Turns each panic of a store into an error. A panic would otherwise end the driver, and all jobs with it.
pub(super) fn guarded(store: Arc<dyn Store>) -> Arc<dyn Store> {
    Arc::new(Intercepted::new(store, Guard))
}

#[derive(Debug)]
struct Guard;

impl Intercept for Guard {
    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let asked = catch_unwind(AssertUnwindSafe(carry_out));
            let mut answer = asked.map_err(|payload| panicked(call, payload))?;
            let answer = poll_fn(|cx| {
                let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
                polled.unwrap_or_else(|payload| Poll::Ready(Err(panicked(call, payload))))
            });
            answer.await
        })
    }
}

fn panicked(call: Call, payload: Box<dyn Any + Send>) -> StoreError {
    let text = panic_text(payload);
    StoreError::new(format!("it panicked in `{}`: {text}", call.name()))
}
