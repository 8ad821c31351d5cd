//! Upcoming fire times.

use chrono::{DateTime, Utc};
use scheduler_core::{JobId, UpcomingFire};
use serde::Serialize;
use utoipa::ToSchema;

/// The fire times of a window, in the order of their start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpcomingList {
    /// The fire times.
    pub(crate) items: Vec<UpcomingItem>,
    /// The value of `after` for the next page; null on the last one.
    pub(crate) next: Option<String>,
    /// `true` if these are all fire times of the window.
    pub(crate) complete: bool,
}

/// A fire time of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpcomingItem {
    /// The job.
    #[schema(value_type = String)]
    job_id: JobId,
    /// The nominal instant.
    scheduled_for: DateTime<Utc>,
    /// The nominal instant, delayed by the jitter of the job.
    starts_at: DateTime<Utc>,
}

impl From<UpcomingFire> for UpcomingItem {
    fn from(fire: UpcomingFire) -> Self {
        Self {
            job_id: fire.job_id,
            scheduled_for: fire.scheduled_for,
            starts_at: fire.starts_at,
        }
    }
}
