//! State shared by all handlers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use scheduler_core::Scheduler;

use crate::access::Access;

/// A scheduler, and the settings of [`WebApi`](crate::WebApi).
pub(crate) struct Web {
    pub(crate) scheduler: Scheduler,
    pub(crate) access: Access,
    /// The tasks for which jobs may be created.
    pub(crate) creatable: BTreeSet<String>,
    pub(crate) title: String,
    /// How long a body may take to arrive.
    pub(crate) body_timeout: Duration,
    /// The longest body, in bytes.
    pub(crate) body_limit: usize,
}

pub(crate) type Shared = State<Arc<Web>>;
