//! Which jobs to list.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job_record::JobRecord;

/// Whether a job will fire by itself; see [`JobRecord::state`].
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
    pub(crate) prefix: Option<String>,
    /// In lower case.
    text: Option<String>,
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

    /// Those whose id or task contains this text anywhere, in whatever case. Use
    /// [`prefix`](Self::prefix) for ids that begin with it.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.text = Some(text.as_ref().to_lowercase());
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

    /// Whether a page can hold jobs that the filter leaves out.
    pub(crate) fn is_narrow(&self) -> bool {
        self.text.is_some()
            || self.task.is_some()
            || self.state.is_some()
            || self.is_static.is_some()
    }

    /// Whether a job is one of them, whatever its place in the list.
    pub(crate) fn matches(&self, job: &JobRecord) -> bool {
        let has_text = |text: &String| {
            job.id.as_str().to_lowercase().contains(text) || job.task.to_lowercase().contains(text)
        };
        self.text.as_ref().is_none_or(has_text)
            && self.task.as_ref().is_none_or(|task| **task == *job.task)
            && self.state.is_none_or(|state| state == job.state())
            && self
                .is_static
                .is_none_or(|is_static| is_static == job.is_static())
    }
}
