//! The router: the routes of the API and of the page, their access control, and everything common to all responses.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use scheduler_core::Scheduler;

use crate::access::Role;
use crate::problem::{Problem, no_method, no_route};
use crate::state::Web;
use crate::{api, conditional, cross_site, page, request_body};

/// How long a request waits for its turn to search for fire times. A search takes a tenth of a second at most.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) fn router(web: Web) -> Router {
    let web = Arc::new(web);
    let routes = api::routes();
    let of = |role: Option<Role>| {
        let routes = routes.iter().filter(|route| route.role == role);
        routes.fold(Router::new(), |router, route| route.add_to(router))
    };
    let guarded =
        |role: Role| of(Some(role)).route_layer(from_fn_with_state((web.clone(), role), guard));
    Router::new()
        .merge(page::routes())
        .merge(of(None))
        .merge(guarded(Role::Read))
        .merge(guarded(Role::Full))
        .method_not_allowed_fallback(no_method)
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(web.body_limit))
        .layer(from_fn(conditional::answer))
        .layer(from_fn(headers))
        .layer(from_fn(request_body::close_if_unread))
        .with_state(web)
}

/// Lets a request pass if it has the role that a route requires.
async fn guard(
    State((web, needed)): State<(Arc<Web>, Role)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if !cross_site::is_allowed(&parts) {
        return Problem::cross_site().into_response();
    }
    if web.access.is_open() && !cross_site::is_by_own_name(&parts) {
        return Problem::foreign_name().into_response();
    }
    match web.access.role(&parts).await {
        None => Problem::unauthorized().into_response(),
        Some(role) if role < needed => Problem::read_only().into_response(),
        Some(role) => {
            parts.extensions.insert(role);
            let answer = next.run(Request::from_parts(parts, body));
            Scheduler::with_search_patience(PATIENCE, answer).await
        }
    }
}

/// Sets the headers common to all responses. The page's files set their own cache lifetime.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_kept = response.extensions_mut().remove::<page::Kept>().is_some();
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !is_kept || status == StatusCode::INTERNAL_SERVER_ERROR {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
