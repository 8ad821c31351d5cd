//! Path parameters.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use scheduler_core::{JobId, RunId};

use crate::problem::{Problem, name_message};

/// The id of a job in a path. Any valid id is allowed, percent-encoded.
pub(crate) struct JobPath(pub(crate) String);

/// The id of a run in a path.
pub(crate) struct RunPath(pub(crate) RunId);

/// The name of a file in a path.
pub(crate) struct FileName(pub(crate) String);

/// Returns the last parameter of this name: the path under which the router is nested may have others.
async fn parameter<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &'static str,
) -> Result<String, Problem> {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, state).await else {
        let message = "its percent-encoding does not make UTF-8";
        return Err(Problem::field(name, message));
    };
    let values = parameters.iter().filter(|(key, _)| *key == name);
    Ok(values.last().map_or("", |(_, value)| value).to_owned())
}

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = parameter(parts, state, "id").await?;
        JobId::new(id.as_str())?;
        Ok(Self(id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RunPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = parameter(parts, state, "id").await?;
        match run_id(&id) {
            Ok(id) => Ok(Self(id)),
            Err(message) => Err(Problem::field("id", message)),
        }
    }
}

/// Reads a run's id in its written form, a UUID.
///
/// # Errors
/// What is wrong with it; the caller adds the field.
pub(crate) fn run_id(text: &str) -> Result<RunId, String> {
    let id: RunId = text.parse().map_err(name_message)?;
    if id.to_string().eq_ignore_ascii_case(text) {
        return Ok(id);
    }
    Err("it has to be a UUID, such as `019a0000-0000-8000-8000-000000000000`".to_owned())
}

impl<S: Send + Sync> FromRequestParts<S> for FileName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "file").await.map(Self)
    }
}
