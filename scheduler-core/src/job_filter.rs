//! Which jobs to list.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::store::{JobQuery, SearchText};

/// Whether a job will fire by itself; see [`JobRecord::state`](crate::JobRecord::state).
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
    /// It has a next fire time.
    Scheduled,
    /// It is paused.
    Paused,
    /// Its trigger has ended.
    Finished,
}

impl JobState {
    /// Decides the state of a job, which is paused even if its trigger has ended.
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

/// Which jobs to list; all of them, in the order of their ids, unless narrowed.
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

/// The length of a page when the filter names none.
const DEFAULT_LIMIT: usize = 100;

impl JobFilter {
    /// All jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those whose id begins with this text, exactly: `acme/` finds `acme/1`, and neither `big-acme/1`
    /// nor `ACME/1`. Stores look only at these jobs.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into()).filter(|prefix| !prefix.is_empty());
        self
    }

    /// Those whose id or task contains this text anywhere, in whatever case, as [`SearchText`] compares. Use
    /// [`prefix`](Self::prefix) for ids that begin with it.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        self.text = (!text.is_empty()).then(|| SearchText::new(text));
        self
    }

    /// Those of this task.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.task = Some(name.into());
        self
    }

    /// Those in this state.
    #[must_use]
    pub fn state(mut self, state: JobState) -> Self {
        self.state = Some(state);
        self
    }

    /// Those that are written in the code, or those that were added at run time.
    #[must_use]
    pub fn is_static(mut self, is_static: bool) -> Self {
        self.is_static = Some(is_static);
        self
    }

    /// Those whose id comes after this one, which is how pages follow each other. A job of this id need not
    /// exist; a text that cannot be an id is refused when the list is asked for.
    #[must_use]
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.after = Some(id.into());
        self
    }

    /// At most that many. A page has 100 by default, and at least one; `usize::MAX` puts all jobs into
    /// one page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(crate) fn page_size(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Returns what to ask of a store, for its jobs after this one.
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
