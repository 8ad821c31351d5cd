//! What every handler is given.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use scheduler_core::Scheduler;

use crate::access::Access;

/// One scheduler and what [`WebApi`](crate::WebApi) sets.
pub(crate) struct Web {
    pub(crate) scheduler: Scheduler,
    pub(crate) access: Access,
    /// The tasks of which jobs may be created.
    pub(crate) creatable: BTreeSet<String>,
    pub(crate) title: String,
}

pub(crate) type Shared = State<Arc<Web>>;
