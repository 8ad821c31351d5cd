//! Responses to `GET` and `HEAD`: with an entity tag, so that a client does not receive a response again, and
//! compressed.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, VARY};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::entity_tag::EntityTag;
use crate::gzip;

/// Compressing more than this on the async thread would delay other requests.
const LONG: usize = 128 * 1024;

/// Adds a tag to JSON, and sends it compressed, or answers 304 if the client has it.
///
/// `HEAD` is handled as `GET`; the router removes the body.
pub(crate) async fn answer(mut request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let asked = request.headers().clone();
    let response = next.run(request).await;
    let is_json = response.headers().get(CONTENT_TYPE);
    let is_json = is_json.is_some_and(|content_type| content_type == "application/json");
    if response.status() != StatusCode::OK || !is_json || response.headers().contains_key(ETAG) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = EntityTag::of(&bytes, parts.extensions.get().copied());
    if tag.is_known(&asked) {
        return not_modified(tag, &asked);
    }
    let compressed = compressed(&bytes, &asked).await;
    let mut response = Response::from_parts(parts, Body::empty());
    fill(&mut response, bytes, compressed, tag);
    response
}

async fn compressed(bytes: &Bytes, asked: &HeaderMap) -> Option<Bytes> {
    if !gzip::is_accepted(asked) {
        return None;
    }
    if bytes.len() <= LONG {
        return gzip::answer(bytes).map(Bytes::from);
    }
    let bytes = bytes.clone();
    let work = tokio::task::spawn_blocking(move || gzip::answer(&bytes));
    work.await.ok().flatten().map(Bytes::from)
}

/// Sets the body of a response and the corresponding headers.
pub(crate) fn fill(
    response: &mut Response,
    bytes: Bytes,
    compressed: Option<Bytes>,
    tag: EntityTag,
) {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
    headers.extend(tag.header(compressed.is_some()).map(|tag| (ETAG, tag)));
    if compressed.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = Body::from(compressed.unwrap_or(bytes));
}

/// Returns the response for clients that already have the answer, with the tag under which they have it.
pub(crate) fn not_modified(tag: EntityTag, asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
    headers.extend(
        tag.header(tag.is_known_compressed(asked))
            .map(|tag| (ETAG, tag)),
    );
    response
}
