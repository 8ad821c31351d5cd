//! Listing jobs.

use super::SearchText;
use crate::id::JobId;
use crate::job_filter::JobState;
use crate::job_record::JobRecord;

/// Selects the jobs to list.
///
/// A listed job meets all conditions, as defined by [`matches`](Self::matches). They apply to the order by id; the
/// order by next run contains all jobs that have one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobQuery {
    /// The order, and the job after which the list begins.
    pub order: JobOrder,
    /// Only jobs whose id begins with this; `None` for all.
    pub prefix: Option<String>,
    /// Only jobs with this text in their id or task name; `None` for all.
    pub text: Option<SearchText>,
    /// Only jobs of this task; `None` for all.
    pub task: Option<String>,
    /// Only jobs in this state; `None` for all.
    pub state: Option<JobState>,
    /// If `true`, only jobs defined in code; if `false`, only jobs added at run time; `None` for both.
    pub is_static: Option<bool>,
    /// The maximum number of jobs.
    pub limit: usize,
}

impl JobQuery {
    /// Lists jobs ordered by id, after the given one.
    pub fn by_id(after: Option<JobId>, limit: usize) -> Self {
        Self::all(JobOrder::Id { after }, limit)
    }

    /// Lists jobs ordered by their next run time.
    pub fn by_next_run(limit: usize) -> Self {
        Self::all(JobOrder::NextRun, limit)
    }

    fn all(order: JobOrder, limit: usize) -> Self {
        Self {
            order,
            prefix: None,
            text: None,
            task: None,
            state: None,
            is_static: None,
            limit,
        }
    }

    /// Lists only jobs whose id begins with this.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Lists only jobs with this text in their id or task name.
    #[must_use]
    pub fn text(mut self, text: SearchText) -> Self {
        self.text = Some(text);
        self
    }

    /// Lists only jobs of this task.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Self {
        self.task = Some(task.into());
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

    /// Returns `true` if a job meets all conditions, regardless of its position in the list.
    ///
    /// A store that leaves the filtering to a database expresses the same rule in the database's language. The
    /// conformance suite compares the two.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::JobState;
    /// use scheduler_core::store::{JobQuery, SearchText};
    ///
    /// #[task]
    /// async fn copy_site(site: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let job = scheduler.add_job(copy_site::job("eu".into()).id("docs-eu").interval("1h")).await?;
    /// let query = JobQuery::by_id(None, 100).text(SearchText::new("COPY"));
    /// assert!(query.matches(&job));
    /// assert!(!query.state(JobState::Paused).matches(&job));
    /// # Ok(())
    /// # }
    /// ```
    pub fn matches(&self, job: &JobRecord) -> bool {
        self.selects(job.id.as_str(), &job.task, job.state(), job.is_static())
    }

    /// Decides about a job from the properties that the conditions use.
    pub(crate) fn selects(&self, id: &str, task: &str, state: JobState, is_static: bool) -> bool {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        id.starts_with(prefix)
            && self.state.is_none_or(|wanted| wanted == state)
            && self.is_static.is_none_or(|wanted| wanted == is_static)
            && self.task.as_deref().is_none_or(|wanted| wanted == task)
            && (self.text.as_ref()).is_none_or(|text| text.is_in(id) || text.is_in(task))
    }
}

/// The order in which jobs are listed.
#[derive(Debug, Clone)]
pub enum JobOrder {
    /// By id, after the given one.
    Id {
        /// The last id of the previous page.
        after: Option<JobId>,
    },
    /// By next run time. Jobs without one are left out.
    NextRun,
}
