//! Selecting the future fire times to list, and paging through them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::scheduler::UpcomingFire;

/// The default page length.
const DEFAULT_LIMIT: usize = 100;

/// Selects the future fire times to list: by default all of them from now on, in order of their start.
///
/// ```
/// use chrono::TimeDelta;
/// use scheduler_core::UpcomingFilter;
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::VirtualClock;
///
/// #[task]
/// async fn collect_bins() {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
/// # let scheduler = builder.start().await?;
/// scheduler.add_job(collect_bins::job().id("bins").cron("0 7 * * *")).await?;
/// let from = scheduler.store_now() + TimeDelta::days(1);
/// let mut filter = UpcomingFilter::new().from(from).until(from + TimeDelta::days(3)).limit(2);
/// let mut days = Vec::new();
/// loop {
///     let page = scheduler.list_upcoming(&filter).await?;
///     days.extend(page.iter().map(|fire| fire.starts_at.to_rfc3339()));
///     let Some(next) = page.next else { break };
///     filter = filter.after(next);
/// }
/// assert_eq!(
///     days,
///     ["2026-01-02T07:00:00+00:00", "2026-01-03T07:00:00+00:00", "2026-01-04T07:00:00+00:00"]
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpcomingFilter {
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) until: DateTime<Utc>,
    pub(crate) job: Option<String>,
    pub(crate) after: Option<UpcomingCursor>,
    pub(crate) limit: usize,
}

impl Default for UpcomingFilter {
    fn default() -> Self {
        Self {
            from: None,
            until: DateTime::<Utc>::MAX_UTC,
            job: None,
            after: None,
            limit: DEFAULT_LIMIT,
        }
    }
}

impl UpcomingFilter {
    /// Lists all fire times that start from now on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only fire times that start at this instant or later.
    #[must_use]
    pub fn from(mut self, from: DateTime<Utc>) -> Self {
        self.from = Some(from);
        self
    }

    /// Lists only fire times that start at this instant or earlier.
    #[must_use]
    pub fn until(mut self, until: DateTime<Utc>) -> Self {
        self.until = until;
        self
    }

    /// Lists only fire times of this job. It is an error if there is no such job.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>) -> Self {
        self.job = Some(id.into());
        self
    }

    /// Lists only fire times after this one: the `next` of the previous page.
    #[must_use]
    pub fn after(mut self, cursor: UpcomingCursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Sets the maximum number per page: 100 by default, at least 1, at most 10,000.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// The position at which the next page of a list of fire times begins. Its text is opaque, for use in URLs and by
/// programs.
///
/// ```
/// use scheduler_core::UpcomingCursor;
///
/// let text = "1767225600000000.1767225600000000.bins";
/// assert_eq!(text.parse::<UpcomingCursor>()?.to_string(), text);
/// assert!("yesterday".parse::<UpcomingCursor>().is_err());
/// # Ok::<(), scheduler_core::InvalidUpcomingCursor>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpcomingCursor {
    pub(crate) starts_at: DateTime<Utc>,
    job_id: JobId,
    scheduled_for: DateTime<Utc>,
}

impl UpcomingCursor {
    /// Creates the cursor of a page that ends with this fire time.
    pub(crate) fn at(last: &UpcomingFire) -> Self {
        Self {
            starts_at: last.starts_at,
            job_id: last.job_id.clone(),
            scheduled_for: last.scheduled_for,
        }
    }

    /// Returns `true` if a fire time comes after the page.
    pub(crate) fn is_before(&self, fire: &UpcomingFire) -> bool {
        let last = (self.starts_at, &self.job_id, self.scheduled_for);
        last < (fire.starts_at, &fire.job_id, fire.scheduled_for)
    }
}

impl fmt::Display for UpcomingCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts_at = self.starts_at.timestamp_micros();
        let scheduled_for = self.scheduled_for.timestamp_micros();
        write!(f, "{starts_at}.{scheduled_for}.{}", self.job_id)
    }
}

/// A text that cannot be an [`UpcomingCursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the `next` of the page before")]
#[non_exhaustive]
pub struct InvalidUpcomingCursor;

impl FromStr for UpcomingCursor {
    type Err = InvalidUpcomingCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant = |text: &str| DateTime::from_timestamp_micros(text.parse().ok()?);
        let read = || {
            let (starts_at, rest) = text.split_once('.')?;
            let (scheduled_for, id) = rest.split_once('.')?;
            Some(Self {
                starts_at: instant(starts_at)?,
                job_id: JobId::new(id).ok()?,
                scheduled_for: instant(scheduled_for)?,
            })
        };
        read().ok_or(InvalidUpcomingCursor)
    }
}
