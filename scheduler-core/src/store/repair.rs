//! Bringing stored rows back in line.

use chrono::{DateTime, Utc};

use super::{JobQuery, Store, StoreError, Unreadable};
use crate::id::JobId;
use crate::job_record::JobRecord;

/// How many jobs are read at once.
const PAGE: usize = 1_000;

/// What was put right in stored jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Jobs whose watermark was ahead of now.
    pub watermarks: Vec<JobId>,
    /// How many leases were cut to their length.
    pub leases: usize,
    /// Records that cannot be read and were not reported before.
    pub unreadable: Vec<Unreadable>,
    /// How many jobs have another next fire time under the present time zone data.
    pub zones: usize,
}

/// Sets the watermarks of all jobs that are ahead of now to now, by an edit each.
pub(super) async fn repair_watermarks<S: Store + ?Sized>(
    store: &S,
    now: DateTime<Utc>,
) -> Result<Repaired, StoreError> {
    let mut repaired = Repaired::default();
    let mut after = None;
    loop {
        let page = store.list_jobs(&JobQuery::by_id(after, PAGE)).await?;
        for job in &page {
            if !job.clone().repair_watermark(now) {
                continue;
            }
            // By now somebody else may have done it.
            let mut is_repaired = false;
            let repair = |job: &mut JobRecord| {
                is_repaired = job.repair_watermark(now);
                Vec::new()
            };
            store.edit(job.id.as_str(), Box::new(repair), now).await?;
            if is_repaired {
                repaired.watermarks.push(job.id.clone());
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
            _ => return Ok(repaired),
        }
    }
}
