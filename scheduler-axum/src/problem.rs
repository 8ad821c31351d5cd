//! Error responses: problem details (RFC 9457).

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use scheduler_core::{Error, FieldErrors, FieldProblem, NameKind, RefusedReason};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::job::{JobBody, JobChange};
use crate::reply::json_bytes;
use crate::secret_arguments::WITHHELD;

pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not carried out (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status defines the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The name of the status.
    #[schema(value_type = String, example = "Unprocessable Content")]
    title: &'static str,
    /// The status code.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    status: u16,
    /// What went wrong, and what to do.
    detail: String,
    /// The parts of the request that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Why a requested run was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, nullable = false, pattern = "^(overlap|queue_full)$")]
    reason: Option<&'static str>,
    /// The change of a job that was not made, because the job has changed since it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = JobChange, required = false, nullable = false)]
    yours: Option<Box<Value>>,
    /// That job as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = JobBody, required = false, nullable = false)]
    current: Option<Box<Value>>,
}

/// A part of a request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Its path in the body, or the name of the parameter.
    #[schema(example = "policies.max_instances")]
    pub(crate) field: String,
    /// What is wrong with it, and what to do.
    pub(crate) message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl From<&scheduler_core::FieldError> for FieldError {
    fn from(error: &scheduler_core::FieldError) -> Self {
        let message = match &error.problem {
            FieldProblem::WrongType { found, .. } if error.field.is_empty() => {
                format!("the body has to be a JSON object, not {found}")
            }
            problem => problem.to_string(),
        };
        Self::new(error.field.as_str(), message)
    }
}

/// The maximum number of errors in one response: a request with more of them shows these first.
pub(crate) const MAX_ERRORS: usize = 50;

pub(crate) type Answer = Result<Response, Problem>;

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            reason: None,
            yours: None,
            current: None,
        }
    }

    /// Creates the problem for a change of a job that has changed since it was read.
    pub(crate) fn stale(detail: String, yours: Option<Value>, current: Value) -> Self {
        Self {
            yours: yours.map(Box::new),
            current: Some(Box::new(current)),
            ..Self::new(StatusCode::PRECONDITION_FAILED, detail)
        }
    }

    /// Creates the problem for a secret argument that is sent back as it is shown, but has no stored value to keep.
    pub(crate) fn withheld(name: &str) -> Self {
        let message = format!(
            "it is secret, and `{WITHHELD}` stands for the value that is stored: there is none, so write the value"
        );
        Self::field(format!("arguments.{name}"), message)
    }

    /// Creates the problem for a request that is readable but invalid.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let total = errors.len();
        Self::first_of(errors, total)
    }

    /// Creates the problem for the first of many errors of a request.
    pub(crate) fn first_of(mut errors: Vec<FieldError>, total: usize) -> Self {
        let detail = match errors.as_slice() {
            [one] if total == 1 => format!("`{}`: {}", one.field, one.message),
            _ => format!("{total} parts of the request cannot be taken"),
        };
        errors.truncate(MAX_ERRORS);
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    /// Creates the problem for invalid fields of the body.
    pub(crate) fn of_fields<'a>(
        errors: impl IntoIterator<Item = &'a scheduler_core::FieldError>,
    ) -> Self {
        Self::invalid(errors.into_iter().map(FieldError::from).collect())
    }

    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// Adds the field that the problem is about.
    pub(crate) fn about(mut self, field: &str) -> Self {
        let message = self.detail.clone();
        self.errors.push(FieldError::new(field, message));
        self
    }

    pub(crate) fn refused(reason: RefusedReason) -> Self {
        let (name, what) = match reason {
            RefusedReason::Overlap => (
                "overlap",
                "wait until a run has ended, or raise `max_instances`",
            ),
            RefusedReason::QueueFull => (
                "queue_full",
                "wait until a run has ended, or raise `max_instances` or the queue of `overlap`",
            ),
            // A reason added by a later version.
            _ => ("refused", "try again later"),
        };
        let detail = format!("not run: {reason}; {what}");
        Self {
            reason: Some(name),
            ..Self::new(StatusCode::CONFLICT, detail)
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "authentication required: send `Authorization: Bearer <token>` with a token of this service",
        )
    }

    pub(crate) fn read_only() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "access is read-only; this request needs the role `full`",
        )
    }

    pub(crate) fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "the request comes from a page of another site, and those cannot change anything here",
        )
    }

    pub(crate) fn foreign_name() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "open access answers requests to localhost and to addresses alone: use tokens or `Access::check` under a host name",
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Answers a path without a route.
pub(crate) async fn no_route(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        format!("there is nothing at `{path}`: `api/openapi.json` lists what there is"),
    )
}

/// Answers a method that the route does not have. The router adds `Allow`.
pub(crate) async fn no_method(request: Request) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!(
            "`{}` cannot be used here: `Allow` says what can",
            request.method()
        ),
    )
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = json_bytes(status, &self);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        let total = errors.total();
        Self::first_of(errors.iter().map(FieldError::from).collect(), total)
    }
}

impl From<Error> for Problem {
    /// Uses the core's message, at the field that it is about.
    fn from(error: Error) -> Self {
        match in_a_field(error) {
            Ok(problem) => problem,
            Err(error) => with_a_status(error),
        }
    }
}

/// Assigns an error to the field of the request that it is about, or returns an error that is not about a field.
fn in_a_field(error: Error) -> Result<Problem, Error> {
    Ok(match error {
        Error::InvalidName {
            what,
            name: _,
            ref problem,
        } => match what {
            NameKind::Job => Problem::field("id", problem.clone()),
            NameKind::Run => Problem::field("run", problem.clone()),
            NameKind::Executor => Problem::field("policies.executor", problem.clone()),
            _ => Problem::field("name", error.to_string()),
        },
        Error::Trigger { .. }
        | Error::NeverFires { .. }
        | Error::CostlyTrigger { .. }
        | Error::NoTrigger { .. }
        | Error::CustomTrigger { .. } => Problem::field("trigger", trigger_message(error)),
        Error::Policy { source, .. } => {
            Problem::field(format!("policies.{}", source.policy()), source.to_string())
        }
        Error::UnknownPart {
            what, name, known, ..
        } => Problem::field(
            format!("policies.{what}"),
            format!("there is no {what} `{name}`; there is {known}"),
        ),
        Error::UnknownTask {
            task, suggestion, ..
        } => Problem::field("task", no_task(&task, suggestion.as_deref())),
        Error::Arguments {
            argument, problem, ..
        } => {
            let field = argument.map_or_else(
                || "arguments".to_owned(),
                |name| format!("arguments.{name}"),
            );
            Problem::field(field, problem)
        }
        Error::MissingData { .. } => {
            tracing::error!(%error, "a job was refused");
            Problem::field(
                "task",
                "this service was not given a value that the task asks for: the log of the service says which",
            )
        }
        other => return Err(other),
    })
}

fn trigger_message(error: Error) -> String {
    match error {
        Error::Trigger { source, .. } => source.to_string(),
        Error::NeverFires { trigger, after, .. } => format!(
            "it would never fire: `{trigger}` names no instant after {}",
            after.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        ),
        Error::CostlyTrigger { steps, .. } => format!(
            "no fire time was found in {steps} steps of search: its parts meet too rarely, or never; \
             use fewer parts, or such as meet more often"
        ),
        Error::NoTrigger { .. } => "it is missing: say when to run".to_owned(),
        other => other.to_string(),
    }
}

/// Assigns a status to an error of a request that is itself valid.
fn with_a_status(error: Error) -> Problem {
    match error {
        Error::JobNotFound { .. } | Error::RunNotFound { .. } => {
            Problem::new(StatusCode::NOT_FOUND, error.to_string())
        }
        Error::Busy => Problem::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        Error::JobExists { job } => Problem::new(
            StatusCode::CONFLICT,
            format!("job `{job}` is there already with another definition: choose another id, or change that job"),
        )
        .about("id"),
        Error::StaleRevision { .. } => {
            Problem::new(StatusCode::PRECONDITION_FAILED, error.to_string())
        }
        Error::StaticJob { .. } | Error::ChangedMeanwhile { .. } => {
            Problem::new(StatusCode::CONFLICT, error.to_string())
        }
        Error::Stopped => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the scheduler has been stopped: ask again when the service is back",
        ),
        Error::Store { ref store, .. } => {
            // A database's message may contain more than a caller should see.
            tracing::warn!(%error, "the API could not ask a store");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("store `{store}` does not answer: try again; the log of the service says why"),
            )
        }
        Error::StoreUnreachable {
            ref store, since, ..
        } => {
            tracing::debug!(%error, "the API did not ask a store that cannot be reached");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!(
                    "store `{store}` cannot be reached since {}: try again; the log of the service says why",
                    since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
                ),
            )
        }
        // Errors that no route here can cause.
        other => {
            tracing::error!(error = %other, "the API met an error that it does not expect");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "something went wrong that should not: the log of the service says what",
            )
        }
    }
}

pub(crate) fn no_task(task: &str, suggestion: Option<&str>) -> String {
    let meant = suggestion.map_or_else(String::new, |name| format!(": did you mean `{name}`?"));
    let task: String = task.chars().take(80).collect();
    format!("there is no task `{task}`{meant}")
}

/// Returns what is wrong with a name or an id, for a field with its own name here.
pub(crate) fn name_message(error: Error) -> String {
    match error {
        Error::InvalidName { problem, .. } => problem,
        other => other.to_string(),
    }
}
