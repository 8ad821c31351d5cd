//! What a trigger would do, before it is used in a job.

use axum::extract::State;
use scheduler_core::{FieldProblem, Fields, Trigger};

use crate::model::preview::{Preview, PreviewRequest};
use crate::object::Object;
use crate::openapi::responses::{Common, Searching, WithBody};
use crate::problem::{Answer, Problem};
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

const MAX_COUNT: usize = 100;
const COUNT: usize = 10;

/// What a trigger means, and when it fires
///
/// The search is bounded: if it takes too much work, the answer contains what was found so far, and `complete` is
/// false.
#[utoipa::path(
    post, path = "/preview", operation_id = "previewTrigger", tag = "triggers",
    request_body(content = PreviewRequest),
    responses((status = 200, body = Preview), Searching, Common, WithBody),
)]
pub(crate) async fn show(State(web): Shared, query: Query, Object(mut body): Object) -> Answer {
    query.finish()?;
    let trigger = take_trigger(&mut body);
    let count = take_count(&mut body);
    body.finish()?;
    let Some(trigger) = trigger else {
        return Err(Problem::field("trigger", "it is missing"));
    };
    let preview = web.scheduler.preview_trigger(&trigger, count).await?;
    Ok(ok(&Preview::new(preview, web.scheduler.zone())))
}

/// Takes the trigger of a body, which is required.
pub(super) fn take_trigger(body: &mut Fields) -> Option<Trigger> {
    let trigger = body.trigger();
    if trigger.is_none() {
        body.missing("trigger", "say when to run, such as `every 5m`");
    }
    trigger
}

fn take_count(body: &mut Fields) -> usize {
    let Some(value) = body.take("count") else {
        return COUNT;
    };
    let expected = format!("a whole number from 1 to {MAX_COUNT}");
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
    match count.filter(|count| (1..=MAX_COUNT).contains(count)) {
        Some(count) => return count,
        None if value.is_number() => {
            let message = format!("it has to be {expected}");
            body.refuse("count", FieldProblem::invalid(message));
        }
        None => body.refuse("count", FieldProblem::wrong_type(expected, &value)),
    }
    COUNT
}
