//! Request bodies: a JSON object, read field by field.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use scheduler_core::Fields;
use serde_json::Map;
use tokio::time::timeout;

use crate::problem::Problem;
use crate::state::Web;

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Object(pub(crate) Fields);

/// The body of a request that may omit it.
#[derive(Debug)]
pub(crate) struct MaybeObject(pub(crate) Fields);

impl FromRequest<Arc<Web>> for Object {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<Web>) -> Result<Self, Problem> {
        check_content_type(&request)?;
        parse(&read(request, state).await?).map(Self)
    }
}

impl FromRequest<Arc<Web>> for MaybeObject {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<Web>) -> Result<Self, Problem> {
        let is_json = check_content_type(&request);
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(Fields::new(Map::new())));
        }
        is_json.and_then(|()| parse(&bytes)).map(Self)
    }
}

fn check_content_type(request: &Request) -> Result<(), Problem> {
    let given = request.headers().get(CONTENT_TYPE);
    let essence = given
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body has to be JSON: send `Content-Type: application/json`",
    ))
}

async fn read(request: Request, web: &Web) -> Result<Bytes, Problem> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > web.body_limit) {
        return Err(too_long());
    }
    let bytes = timeout(web.body_timeout, Bytes::from_request(request, &()));
    let bytes = bytes.await.map_err(|_| {
        let detail = format!(
            "the body did not arrive within {} s: send it in one go",
            web.body_timeout.as_secs_f64()
        );
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
    })?;
    bytes.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_long()
        } else {
            // The connection was lost: the answer will not be read.
            let _ = rejection.into_response();
            Problem::new(StatusCode::BAD_REQUEST, "the body could not be read")
        }
    })
}

fn too_long() -> Problem {
    let detail = "the body is longer than this service takes";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Reads the fields. A body that contains a key twice, or is not an object, is rejected before its contents are
/// examined.
fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
    let fields: Fields = serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("the body is not JSON: {error}"),
        )
    })?;
    match fields.errors() {
        [] => Ok(fields),
        errors => Err(Problem::of_fields(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        let problem = parse(json.as_bytes()).unwrap_err();
        serde_json::to_string(&problem).unwrap()
    }

    #[test]
    fn repeated_keys_are_refused_with_their_paths() {
        assert!(refused(r#"{"a": 1, "a": 2}"#).contains(r#""field":"a""#));
        assert!(refused(r#"{"a": [{"b": {"c": 1, "c": 1}}]}"#).contains(r#""field":"a[0].b.c""#));
        assert!(parse(br#"{"a": {"x": 1}, "b": {"x": 1}}"#).is_ok());
    }

    #[test]
    fn an_answer_does_not_grow_with_what_is_wrong() {
        let name = "k".repeat(60_000);
        for body in [
            format!("{{\"{name}\": {{{}\"a\": 1}}}}", "\"a\": 1,".repeat(20_000)),
            format!(
                "{{\"{name}\": [{}1], \"b\": 1, \"b\": 2}}",
                "1,".repeat(60_000)
            ),
        ] {
            assert!(refused(&body).len() < 64 * body.len());
        }
        let names: Vec<String> = (0..20_001)
            .map(|number| format!("\"x{number}\": 1"))
            .collect();
        let body = format!("{{{}}}", names.join(","));
        let unknown = parse(body.as_bytes()).unwrap().finish().unwrap_err();
        let answer = serde_json::to_string(&Problem::from(unknown)).unwrap();
        assert!(answer.contains("20001 parts of the request"), "{answer}");
        assert!(answer.len() < 10_000);
    }

    #[test]
    fn body_that_is_not_an_object_is_refused() {
        for text in ["", "{", "[1", "nul", "{\"a\": 1} x", "\u{feff}{}"] {
            assert!(refused(text).contains("400"), "{text}");
        }
        for text in ["[]", "1", "null", "\"a\"", "true"] {
            let refused = refused(text);
            assert!(refused.contains("422"), "{text}");
            assert!(
                refused.contains("the body has to be a JSON object, not "),
                "{refused}"
            );
        }
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(refused(&deep).contains("400"));
    }
}
