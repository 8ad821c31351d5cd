//! Changes as they happen, as server-sent events.
//!
//! Events are hints only: clients read the data again over the other routes. So an event that is lost, because a
//! connection was slow or broke, does no harm.

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

/// The interval of comments, which keep proxies from closing an idle connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Changes as they happen
///
/// Server-sent events, as hints only: `hello` first; `change` with the change and its job and run; `lagged` if
/// some were lost, and everything should be read again. A comment is sent every 15 seconds. The stream ends when the
/// scheduler begins to stop.
#[utoipa::path(
    get, path = "/events", operation_id = "streamEvents", tag = "session",
    responses((status = 200, body = String, content_type = "text/event-stream"), Common),
)]
pub(crate) async fn stream(State(web): Shared, query: Query) -> Answer {
    query.finish()?;
    let events = hints(web.scheduler.events().until_shutdown());
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // Without this header, nginx buffers the response.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// The only buffer of a connection is the scheduler's event queue, which is bounded.
fn hints(events: EventStream) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let hello = stream::once(async { Event::default().event("hello").data("{}") });
    let changes = stream::unfold(events, async |mut events| {
        let event = match events.next().await? {
            NextEvent::Event(event) => change(&Change::from(&event.kind)),
            // Events were lost, or are of a later version: in both cases, read again.
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
