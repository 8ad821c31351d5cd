//! The conditions of a list of jobs, as the statements need them.

use scheduler_core::store::JobQuery;

use crate::id_range::id_range;

/// `{state}`: the state of a job, as named by [`JobState`](scheduler_core::JobState). Equal to
/// [`JobRecord::state`](scheduler_core::JobRecord::state); the conformance suite compares the two.
pub(crate) const STATE: &str = "CASE WHEN paused IS NOT NULL THEN 'paused' \
    WHEN next_nominal IS NOT NULL AND next_at IS NOT NULL THEN 'scheduled' ELSE 'finished' END";

/// A list of jobs in the order of their ids.
#[derive(Debug)]
pub(crate) struct ListedJobs<'a> {
    /// Ids from here on.
    pub(crate) from: String,
    /// Ids below this.
    pub(crate) below: Option<String>,
    /// The other conditions.
    pub(crate) query: &'a JobQuery,
}

impl<'a> ListedJobs<'a> {
    /// Creates the list of the jobs of a query that come after an id.
    pub(crate) fn new(query: &'a JobQuery, after: Option<&str>) -> Self {
        let (from, below) = id_range(query.prefix.as_deref(), after);
        Self { from, below, query }
    }

    /// Returns `true` if the range of ids is the only condition, which is cheaper to search.
    pub(crate) fn is_range(&self) -> bool {
        let query = self.query;
        query.text.is_none()
            && query.task.is_none()
            && query.state.is_none()
            && query.is_static.is_none()
    }
}
