//! Upcoming fire times.

use axum::extract::State;
use chrono::TimeDelta;
use scheduler_core::{InvalidUpcomingCursor, UpcomingFilter};

use crate::model::upcoming::{UpcomingItem, UpcomingList};
use crate::openapi::responses::{Common, Searching};
use crate::problem::PROBLEM_JSON;
use crate::problem::{Answer, Problem};
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

const MAX_PAGE: usize = 5_000;
const PAGE: usize = 500;
/// The default length of the window.
const WINDOW: TimeDelta = TimeDelta::hours(24);

/// Upcoming fire times, in the order of their start
///
/// Paused jobs have none. Policies decide which of them are run in the end.
#[utoipa::path(
    get, path = "/upcoming", operation_id = "listUpcoming", tag = "runs",
    params(
        ("from" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "The start of the window; now unless given."),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Its end; 24 hours after its start unless given."),
        ("job" = Option<String>, Query, description = "Of this job.", min_length = 1, max_length = 255),
        ("after" = Option<String>, Query, description = "`next` of the page before; give the same window with it.", min_length = 1),
        ("limit" = Option<u32>, Query, description = "At most this many; 500 unless given.", minimum = 1, maximum = 5000),
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
    let after = query.parsed("after", |text| {
        text.parse()
            .map_err(|error: InvalidUpcomingCursor| error.to_string())
    });
    query.finish()?;
    let mut filter = UpcomingFilter::new().from(from).until(until).limit(limit);
    if let Some(job) = job {
        filter = filter.job(job);
    }
    if let Some(after) = after {
        filter = filter.after(after);
    }
    let found = web.scheduler.list_upcoming(&filter).await?;
    let next = found.next.as_ref().map(ToString::to_string);
    let complete = found.is_complete && next.is_none();
    let items = found.into_iter().map(UpcomingItem::from).collect();
    Ok(ok(&UpcomingList {
        items,
        next,
        complete,
    }))
}
