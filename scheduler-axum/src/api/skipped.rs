//! Fire times that were not run, and why.

use axum::extract::State;

use crate::model::skipped::{REASONS, SkipReasonShape, SkippedBody, SkippedList};
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

const MAX_PAGE: usize = 500;
const PAGE: usize = 100;
/// The newest records among which those of one reason are looked for.
const SEARCHED: usize = 5_000;

/// Fire times that were not run, newest first
///
/// Those of one reason are looked for among the newest 5,000 records.
#[utoipa::path(
    get, path = "/skipped", operation_id = "listSkipped", tag = "runs",
    params(
        ("job" = Option<String>, Query, description = "Of this job.", min_length = 1, max_length = 255),
        ("reason" = Option<SkipReasonShape>, Query, description = "For this reason."),
        ("limit" = Option<u32>, Query, description = "At most so many records; 100 unless given.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, body = SkippedList), Common),
)]
pub(crate) async fn list(State(web): Shared, mut query: Query) -> Answer {
    let job = query.name("job");
    let reason = query.one_of("reason", &REASONS);
    let limit = query.number("limit", (1, MAX_PAGE)).unwrap_or(PAGE);
    query.finish()?;
    let searched = if reason.is_some() { SEARCHED } else { limit };
    // One more than wanted shows whether the list is cut.
    let mut skipped = web.scheduler.skipped(job.as_deref(), searched + 1).await?;
    let mut has_more = skipped.len() > searched;
    skipped.truncate(searched);
    skipped.retain(|one| reason.is_none_or(|reason| one.reason == reason));
    has_more |= skipped.len() > limit;
    skipped.truncate(limit);
    let since_start = web.scheduler.health().skipped;
    Ok(ok(&SkippedList {
        items: skipped.into_iter().map(SkippedBody::from).collect(),
        has_more,
        since_start,
    }))
}
