//! The description of the API, made from the code.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response as Described, ResponseBuilder, Responses};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Server};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::{
    create, dropped, events, health, jobs, nodes, preview, runs, session, tasks, upcoming,
};
use crate::problem::PROBLEM_JSON;

/// Jobs, runs and what comes next, of the scheduler of this service.
#[derive(OpenApi)]
#[openapi(
    info(title = "Scheduler"),
    paths(
        session::show,
        jobs::list, create::create, jobs::show, jobs::change, jobs::remove,
        jobs::reschedule, jobs::pause, jobs::resume, jobs::run_now,
        runs::list_of_job, runs::list, runs::show, runs::cancel,
        upcoming::list,
        preview::show,
        tasks::list,
        nodes::list,
        dropped::list,
        health::show, health::live, health::ready,
        events::stream,
        document,
    ),
    modifiers(&Finish),
)]
struct Description;

/// This description
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "session",
    security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1.")),
)]
pub(crate) async fn document() -> Response {
    let mut response = Response::new(Body::from(text()));
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// It is the same for every scheduler, and made once.
fn text() -> Bytes {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let text = Description::openapi().to_json();
        text.map(Bytes::from).unwrap_or_default()
    });
    text.clone()
}

/// What every route answers that takes access.
pub(crate) struct Reading;

/// What a route answers that is asked with `GET`.
pub(crate) struct Common;

/// What a route answers that changes something.
pub(crate) struct Changing;

/// What a route answers that takes a body.
pub(crate) struct WithBody;

/// What a route answers that searches for fire times.
pub(crate) struct Searching;

impl IntoResponses for Common {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        problems(&[401, 422, 503])
    }
}

impl IntoResponses for Reading {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        problems(&[401, 403, 422, 503])
    }
}

impl IntoResponses for Changing {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        problems(&[401, 403, 422, 503])
    }
}

impl IntoResponses for WithBody {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        problems(&[400, 413, 415])
    }
}

impl IntoResponses for Searching {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
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

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Described>> {
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

/// An answer of which nothing more is to be said is described by the name of its status.
fn describe(responses: &mut Responses) {
    for (status, response) in &mut responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let code: Option<StatusCode> = status.parse().ok();
            let name = code.and_then(|code| code.canonical_reason());
            name.unwrap_or(status).clone_into(&mut response.description);
        }
    }
}

/// What the macros cannot say.
struct Finish;

impl Modify for Finish {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        // Relative to where this document is, whatever the router is nested at.
        openapi.servers = Some(vec![Server::new("../api")]);
        env!("CARGO_PKG_VERSION").clone_into(&mut openapi.info.version);
        openapi.security = Some(vec![SecurityRequirement::new("bearer", [""; 0])]);
        for path in openapi.paths.paths.values_mut() {
            let operations = [
                &mut path.get,
                &mut path.post,
                &mut path.patch,
                &mut path.delete,
            ];
            for operation in operations.into_iter().flatten() {
                describe(&mut operation.responses);
            }
        }
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
        for name in [
            "NewJob",
            "JobChange",
            "Reschedule",
            "Note",
            "PolicyPatch",
            "PreviewRequest",
        ] {
            if let Some(RefOr::T(Schema::Object(schema))) = components.schemas.get_mut(name) {
                let closed = AdditionalProperties::FreeForm(false);
                schema.additional_properties = Some(Box::new(closed));
            }
        }
    }
}
