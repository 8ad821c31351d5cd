//! Requests for work.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Claimable;
use crate::id::RunIds;
use crate::node::NodeId;

/// A node's request for work.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClaimRequest<'a> {
    /// The node.
    pub node: NodeId,
    /// The current time, in store time.
    pub now: DateTime<Utc>,
    /// What the node can run.
    pub claimable: &'a Claimable,
    /// The capacity of its executors, by name.
    pub capacity: &'a HashMap<Arc<str>, usize>,
    /// The maximum number of jobs.
    pub limit: usize,
    /// Generates the ids of new runs.
    pub run_ids: &'a RunIds,
}

impl<'a> ClaimRequest<'a> {
    /// Requests jobs for a node, as many as there is capacity for.
    pub fn new(
        node: NodeId,
        now: DateTime<Utc>,
        claimable: &'a Claimable,
        capacity: &'a HashMap<Arc<str>, usize>,
        run_ids: &'a RunIds,
    ) -> Self {
        Self {
            node,
            now,
            claimable,
            capacity,
            limit: usize::MAX,
            run_ids,
        }
    }

    /// Sets the maximum number of jobs.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
