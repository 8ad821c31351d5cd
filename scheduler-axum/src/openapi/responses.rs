//! Responses that many operations have in common.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::problem::PROBLEM_JSON;

/// The responses of a route with `GET`.
pub(crate) struct Common;

/// The responses of a route that changes something.
pub(crate) struct Changing;

/// The responses of a route with a body.
pub(crate) struct WithBody;

/// The responses of a route that searches for fire times.
pub(crate) struct Searching;

/// The responses of a route that leaves a job unchanged if it has changed since the caller read it.
pub(crate) struct IfSeen;

impl IntoResponses for IfSeen {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = problems(&[409, 412]);
        if let Some(RefOr::T(response)) = responses.get_mut("412") {
            "The job was changed since: `current` has it as it is now, and `yours` the change that was not made."
                .clone_into(&mut response.description);
        }
        if let Some(RefOr::T(response)) = responses.get_mut("409") {
            "Others changed the job at the same time, again and again, or it is in no state for this."
                .clone_into(&mut response.description);
        }
        responses
    }
}

impl IntoResponses for Common {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[401, 403, 422, 503])
    }
}

impl IntoResponses for Changing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[401, 403, 422, 503])
    }
}

impl IntoResponses for WithBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[400, 408, 413, 415])
    }
}

impl IntoResponses for Searching {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = problems(&[429]);
        if let Some(RefOr::T(response)) = responses.get_mut("429") {
            "Other requests are searching through triggers that take long."
                .clone_into(&mut response.description);
            let seconds = ObjectBuilder::new().schema_type(Type::Integer);
            let header = HeaderBuilder::new()
                .schema(seconds)
                .description(Some("Seconds."));
            response
                .headers
                .insert("Retry-After".to_owned(), header.build());
        }
        responses
    }
}

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let problem = |status: u16| {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let mut response = ResponseBuilder::new().content(PROBLEM_JSON, content);
        if status == 401 {
            let header = HeaderBuilder::new().description(Some("How to ask: `Bearer`."));
            response = response.header("WWW-Authenticate", header.build());
        }
        RefOr::T(response.build())
    };
    let statuses = statuses.iter();
    statuses
        .map(|status| (status.to_string(), problem(*status)))
        .collect()
}
