//! Listing jobs.

use crate::id::JobId;

/// Which jobs to list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobQuery {
    /// In which order, and after which one.
    pub order: JobOrder,
    /// Only those whose id begins with this; `None` for all. Of the order by id alone.
    pub prefix: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl JobQuery {
    /// Lists jobs in the order of their ids, after this one.
    pub fn by_id(after: Option<JobId>, limit: usize) -> Self {
        Self {
            order: JobOrder::Id { after },
            prefix: None,
            limit,
        }
    }

    /// Lists jobs in the order of their next run times.
    pub fn by_next_run(limit: usize) -> Self {
        Self {
            order: JobOrder::NextRun,
            prefix: None,
            limit,
        }
    }

    /// Lists only those whose id begins with this. Of the order by id alone.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }
}

/// The order of a list of jobs.
#[derive(Debug, Clone)]
pub enum JobOrder {
    /// By id, after this one.
    Id {
        /// The last id of the page before.
        after: Option<JobId>,
    },
    /// By the next run time; jobs without one are left out.
    NextRun,
}
