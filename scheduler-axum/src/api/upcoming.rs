//! Fire times to come.

use axum::extract::State;
use chrono::TimeDelta;

use crate::model::upcoming::{UpcomingItem, UpcomingList};
use crate::openapi::responses::{Common, Searching};
use crate::problem::PROBLEM_JSON;
use crate::problem::{Answer, Problem};
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

const MAX_PAGE: usize = 5_000;
const PAGE: usize = 500;
/// The window unless it is given.
const WINDOW: TimeDelta = TimeDelta::hours(24);

/// Fire times to come, in the order of their start
///
/// None of jobs that are paused. What runs in the end is decided by policies.
#[utoipa::path(
    get, path = "/upcoming", operation_id = "listUpcoming", tag = "runs",
    params(
        ("from" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "The start of the window; now unless given."),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Its end; 24 hours after its start unless given."),
        ("job" = Option<String>, Query, description = "Of this job.", min_length = 1, max_length = 255),
        ("limit" = Option<u32>, Query, description = "At most so many; 500 unless given.", minimum = 1, maximum = 5000),
    ),
    responses((status = 200, body = UpcomingList), (status = 404, body = Problem, content_type = PROBLEM_JSON), Searching, Common),
)]
pub(crate) async fn list(State(web): Shared, mut query: Query) -> Answer {
    let from = query.instant("from");
    let until = query.instant("until");
    let job = query.name("job");
    let limit = query.number("limit", (1, MAX_PAGE)).unwrap_or(PAGE);
    let from = from.unwrap_or_else(|| web.scheduler.store_now());
    let until = until.unwrap_or(from + WINDOW);
    if until < from {
        query.wrong("until", "it is before the start of the window");
    }
    query.finish()?;
    // One more than wanted tells whether these are all.
    let fires = web
        .scheduler
        .upcoming_between(from, until, job.as_deref(), limit + 1);
    let mut found = fires.await?;
    let complete = found.is_complete && found.fires.len() <= limit;
    found.fires.truncate(limit);
    let items = found.into_iter().map(UpcomingItem::from).collect();
    Ok(ok(&UpcomingList { items, complete }))
}
