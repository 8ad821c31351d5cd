//! The description of the API.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use crate::openapi::document;

/// This description
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "session",
    security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1.")),
)]
pub(crate) async fn show() -> Response {
    let mut response = Response::new(Body::from(document::text()));
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
