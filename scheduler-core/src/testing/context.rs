//! A context to call a task's function with.

use std::sync::Arc;

use chrono::DateTime;

use crate::cancel::CancelFlag;
use crate::error::Error;
use crate::id::{JobId, RunId};
use crate::run::RunKind;
use crate::task::arguments::Arguments;
use crate::task::context::{ContextInner, JobContext};
use crate::task::data::DataMap;

/// Makes a context for the first attempt of a run of this job, scheduled for 1970.
///
/// It has no data, no arguments and no scheduler, and is never asked to stop.
///
/// # Errors
/// [`Error::InvalidName`]: the id is none.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn report(ctx: JobContext) -> String {
///     format!("{} #{}", ctx.job_id(), ctx.attempt())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let text = report(scheduler_core::testing::context("weekly")?).await;
/// assert_eq!(text, "weekly #1");
/// # Ok(())
/// # }
/// ```
pub fn context(job_id: &str) -> Result<JobContext, Error> {
    Ok(JobContext(Arc::new(ContextInner {
        job_id: JobId::new(job_id)?,
        task: job_id.into(),
        run_id: RunId::from_u128(1),
        kind: RunKind::Manual,
        attempt: 1,
        scheduled_for: DateTime::UNIX_EPOCH,
        arguments: Arguments::new(),
        data: Arc::new(DataMap::default()),
        cancel: CancelFlag::default(),
        scheduler: None,
    })))
}
