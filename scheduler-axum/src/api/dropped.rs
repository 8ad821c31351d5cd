//! Fire times that were not run, and why.

use axum::extract::State;

use crate::model::dropped::{DropReasonShape, DroppedBody, DroppedList, REASONS};
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
    get, path = "/dropped", operation_id = "listDropped", tag = "runs",
    params(
        ("job" = Option<String>, Query, description = "Of this job.", min_length = 1, max_length = 255),
        ("reason" = Option<DropReasonShape>, Query, description = "For this reason."),
        ("limit" = Option<u32>, Query, description = "At most so many records; 100 unless given.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, body = DroppedList), Common),
)]
pub(crate) async fn list(State(web): Shared, mut query: Query) -> Answer {
    let job = query.name("job");
    let reason = query.one_of("reason", &REASONS);
    let limit = query.number("limit", (1, MAX_PAGE)).unwrap_or(PAGE);
    query.finish()?;
    let searched = if reason.is_some() { SEARCHED } else { limit };
    // One more than wanted shows whether the list is cut.
    let mut dropped = web.scheduler.dropped(job.as_deref(), searched + 1).await?;
    let mut has_more = dropped.len() > searched;
    dropped.truncate(searched);
    dropped.retain(|one| reason.is_none_or(|reason| one.reason == reason));
    has_more |= dropped.len() > limit;
    dropped.truncate(limit);
    let since_start = web.scheduler.health().dropped;
    Ok(ok(&DroppedList {
        items: dropped.into_iter().map(DroppedBody::from).collect(),
        has_more,
        since_start,
    }))
}
