//! Changes as they happen, as server-sent events.
//!
//! They are hints only: who listens reads again over the other routes. So what is lost, because a
//! connection was slow or broke off, does no harm.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use scheduler_core::{EventStream, NextEvent};

use crate::model::event::Change;
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::state::Shared;

/// A comment so often keeps proxies from closing a connection on which nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Changes as they happen
///
/// Server-sent events, hints only: `hello` first; `change` with what has changed, and of which job
/// and run; `lagged` when some were lost, and everything should be read again. A comment every 15
/// seconds. The stream ends when the scheduler begins to stop.
#[utoipa::path(
    get, path = "/events", operation_id = "streamEvents", tag = "session",
    responses((status = 200, body = String, content_type = "text/event-stream"), Common),
)]
pub(crate) async fn stream(State(web): Shared, query: Query) -> Answer {
    query.finish()?;
    let events = hints(web.scheduler.events().until_shutdown());
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // nginx holds answers back until it has enough of them, unless it is told.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// The scheduler's own queue is all that is held for a connection; it has a bound.
fn hints(events: EventStream) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let hello = stream::once(async { Event::default().event("hello").data("{}") });
    let changes = stream::unfold(events, async |mut events| {
        let event = match events.next().await? {
            NextEvent::Event(event) => change(&Change::from(&event.kind)),
            // Lost are some, or what a later version knows: either way, read again.
            _ => Event::default().event("lagged").data("{}"),
        };
        Some((event, events))
    });
    hello.chain(changes).map(Ok)
}

fn change(change: &Change) -> Event {
    match serde_json::to_string(change) {
        Ok(data) => Event::default().event("change").data(data),
        Err(error) => {
            tracing::error!(%error, "a change cannot be written as JSON");
            Event::default().event("lagged").data("{}")
        }
    }
}
