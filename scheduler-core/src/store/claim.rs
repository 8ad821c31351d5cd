//! Asking for work.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Claimable;
use crate::id::RunIds;
use crate::node::NodeId;

/// A node's request for work.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// The node.
    pub node: NodeId,
    /// Now, in store time.
    pub now: DateTime<Utc>,
    /// What the node can run.
    pub claimable: &'a Claimable,
    /// Capacity of its executors, by name.
    pub capacity: &'a HashMap<Arc<str>, usize>,
    /// At most so many jobs.
    pub limit: usize,
    /// Makes the ids of new runs.
    pub run_ids: &'a RunIds,
}
