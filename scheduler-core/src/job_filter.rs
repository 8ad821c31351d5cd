//! Selecting the jobs to list.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::store::{JobQuery, SearchText};

/// The state of a job, which determines if it will fire by itself; see [`JobRecord::state`](crate::JobRecord::state).
///
/// ```
/// use scheduler_core::JobState;
///
/// assert_eq!(JobState::Paused.to_string(), "paused");
/// assert_eq!(serde_json::to_string(&JobState::Scheduled)?, r#""scheduled""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// The job has a next fire time.
    Scheduled,
    /// The job is paused.
    Paused,
    /// The job's trigger has ended.
    Finished,
}

impl JobState {
    /// Returns the state of a job. A paused job counts as paused even if its trigger has ended.
    pub(crate) fn of(is_paused: bool, has_next: bool) -> Self {
        match (is_paused, has_next) {
            (true, _) => Self::Paused,
            (false, true) => Self::Scheduled,
            (false, false) => Self::Finished,
        }
    }

    /// Returns the name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Paused => "paused",
            Self::Finished => "finished",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Selects the jobs to list: by default all of them, ordered by id.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::{JobFilter, JobState};
///
/// #[task]
/// async fn mirror(site: String) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// for site in ["docs-eu", "docs-us", "shop-eu"] {
///     scheduler.add_job(mirror::job(site.into()).id(site).interval("1h")).await?;
/// }
/// scheduler.pause_job("docs-us").await?;
///
/// let ids = async |filter: JobFilter| -> Result<Vec<String>, scheduler_core::Error> {
///     let page = scheduler.list_jobs(&filter).await?;
///     Ok(page.into_iter().map(|job| job.id.to_string()).collect())
/// };
/// let docs = JobFilter::new().prefix("docs-");
/// assert_eq!(ids(docs.clone()).await?, ["docs-eu", "docs-us"]);
/// assert_eq!(ids(docs.clone().after("docs-eu")).await?, ["docs-us"]);
/// assert_eq!(ids(docs.state(JobState::Paused)).await?, ["docs-us"]);
/// assert_eq!(ids(JobFilter::new().text("-EU")).await?, ["docs-eu", "shop-eu"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    prefix: Option<String>,
    text: Option<SearchText>,
    task: Option<String>,
    state: Option<JobState>,
    is_static: Option<bool>,
    pub(crate) after: Option<String>,
    limit: Option<usize>,
}

/// The default page length.
const DEFAULT_LIMIT: usize = 100;

impl JobFilter {
    /// Lists all jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only jobs whose id begins with exactly this text: `acme/` finds `acme/1`, but neither `big-acme/1` nor
    /// `ACME/1`. Stores read only these jobs.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into()).filter(|prefix| !prefix.is_empty());
        self
    }

    /// Lists only jobs whose id or task contains this text anywhere, ignoring case as [`SearchText`] does. Use
    /// [`prefix`](Self::prefix) for ids that begin with a text.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        self.text = (!text.is_empty()).then(|| SearchText::new(text));
        self
    }

    /// Lists only jobs of this task.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.task = Some(name.into());
        self
    }

    /// Lists only jobs in this state.
    #[must_use]
    pub fn state(mut self, state: JobState) -> Self {
        self.state = Some(state);
        self
    }

    /// Lists only jobs defined in code, or only jobs added at run time.
    #[must_use]
    pub fn is_static(mut self, is_static: bool) -> Self {
        self.is_static = Some(is_static);
        self
    }

    /// Lists only jobs whose id comes after this one, as the next page does. A job with this id need not exist. A
    /// text that cannot be an id is refused when the list is requested.
    #[must_use]
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.after = Some(id.into());
        self
    }

    /// Sets the maximum number of jobs per page: 100 by default, at least one; `usize::MAX` puts all jobs into one
    /// page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(crate) fn page_size(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Returns the query for a store's jobs after this one.
    pub(crate) fn query(&self, after: Option<JobId>) -> JobQuery {
        JobQuery {
            prefix: self.prefix.clone(),
            text: self.text.clone(),
            task: self.task.clone(),
            state: self.state,
            is_static: self.is_static,
            ..JobQuery::by_id(after, self.page_size())
        }
    }
}
