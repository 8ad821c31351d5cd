//! The document, and what the macros cannot say of the API.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::StatusCode;
use utoipa::openapi::response::Responses;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{RefOr, Server};
use utoipa::{Modify, OpenApi};

use crate::api;

/// Jobs, runs and what comes next, of the scheduler of this service.
#[derive(OpenApi)]
#[openapi(info(title = "Scheduler"))]
struct Head;

/// Returns the document. It is the same for every scheduler, and made once.
pub(crate) fn text() -> Bytes {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let mut document = Head::openapi();
        for route in api::routes() {
            document.merge(route.description);
        }
        Finish.modify(&mut document);
        document.to_json().map(Bytes::from).unwrap_or_default()
    });
    text.clone()
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
            "PreviewRequest",
        ] {
            if let Some(RefOr::T(Schema::Object(schema))) = components.schemas.get_mut(name) {
                let closed = AdditionalProperties::FreeForm(false);
                schema.additional_properties = Some(Box::new(closed));
            }
        }
    }
}
