//! Skipped fire times, and why they were skipped.

use axum::extract::State;
use scheduler_core::{InvalidCursor, SkippedFilter};

use crate::model::skipped::{REASONS, SkipReasonShape, SkippedBody, SkippedPage};
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

const MAX_PAGE: usize = 500;
const PAGE: usize = 100;

/// Skipped fire times, newest first
///
/// A filter by reason searches 5,000 records at a time: a page may have fewer items than `limit`, or none, and still
/// have a `next`.
#[utoipa::path(
    get, path = "/skipped", operation_id = "listSkipped", tag = "runs",
    params(
        ("job" = Option<String>, Query, description = "Of this job.", min_length = 1, max_length = 255),
        ("reason" = Option<SkipReasonShape>, Query, description = "For this reason."),
        ("before" = Option<String>, Query, description = "`next` of the page before.", min_length = 32, pattern = "^([0-9A-Fa-f]{32})+$"),
        ("limit" = Option<u32>, Query, description = "Records of a page; 100 unless given.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, body = SkippedPage), Common),
)]
pub(crate) async fn list(State(web): Shared, mut query: Query) -> Answer {
    let mut filter = SkippedFilter::new();
    filter.job = query.name("job");
    filter.reasons.extend(query.one_of("reason", &REASONS));
    filter.before = query.parsed("before", |text| {
        text.parse()
            .map_err(|error: InvalidCursor| error.to_string())
    });
    filter.limit = query.number("limit", (1, MAX_PAGE)).or(Some(PAGE));
    query.finish()?;
    let page = web.scheduler.list_skipped(&filter).await?;
    Ok(ok(&SkippedPage {
        items: page.items.into_iter().map(SkippedBody::from).collect(),
        next: page.next,
        since_start: web.scheduler.health().skipped,
    }))
}
