//! The document, including the parts of the API that the macros cannot express.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::StatusCode;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::response::{Response, ResponseBuilder, Responses};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{RefOr, Required, Server};
use utoipa::{Modify, OpenApi};

use crate::api;

/// Jobs, runs and upcoming fire times of the scheduler of this service.
#[derive(OpenApi)]
#[openapi(info(title = "Scheduler"))]
struct Head;

/// Returns the document. It is the same for every scheduler, and created once.
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

/// A response without a description gets the name of its status.
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

/// An optional body need not also be nullable: generated clients would turn it into a mandatory argument.
fn leave_out(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let Some(RefOr::T(Schema::OneOf(choices))) = &content.schema else {
            continue;
        };
        let present = choices.items.iter();
        let mut present = present.filter(|choice| matches!(choice, RefOr::Ref(_)));
        if let (Some(only), None) = (present.next(), present.next()) {
            content.schema = Some(only.clone());
            body.required = Some(Required::False);
        }
    }
}

/// A JSON answer to `GET` has a tag, and is not sent again to clients that have it.
fn known(operation: &mut Operation) {
    let is_json = |response: &Response| response.content.contains_key("application/json");
    let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") else {
        return;
    };
    if !is_json(answer) {
        return;
    }
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let tag = HeaderBuilder::new().schema(text()).description(Some(
        "Names this answer, for `If-None-Match`; that of a job also serves as its `If-Match`.",
    ));
    answer.headers.insert("ETag".to_owned(), tag.build());
    let same =
        ResponseBuilder::new().description("The caller has it: its tag is in `If-None-Match`.");
    let responses = &mut operation.responses.responses;
    responses.insert("304".to_owned(), same.build().into());
    let asked = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The `ETag` of an answer that the caller has."))
        .schema(Some(text()));
    operation
        .parameters
        .get_or_insert_default()
        .push(asked.build());
}

/// A value in a path, a query or a header is either absent or not null: text has no null.
fn never_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(kinds) = &object.schema_type
                && let [kind, Type::Null] | [Type::Null, kind] = kinds.as_slice()
            {
                object.schema_type = SchemaType::Type(kind.clone());
            }
        }
        RefOr::T(Schema::OneOf(choices)) => {
            let present = choices.items.iter();
            let present = present.filter(|choice| matches!(choice, RefOr::Ref(_)));
            if let [only] = present.collect::<Vec<_>>().as_slice() {
                *schema = (*only).clone();
            }
        }
        _ => {}
    }
}

/// An object with an unknown schema takes any member. Generators would assume that it has none.
fn open(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else {
        return;
    };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(open);
            let is_object = match &object.schema_type {
                SchemaType::Type(kind) => *kind == Type::Object,
                SchemaType::Array(kinds) => kinds.contains(&Type::Object),
                SchemaType::AnyValue => false,
            };
            match object.additional_properties.as_deref_mut() {
                Some(AdditionalProperties::RefOr(values)) => open(values),
                None if is_object && object.properties.is_empty() => {
                    let any = AdditionalProperties::FreeForm(true);
                    object.additional_properties = Some(Box::new(any));
                }
                _ => {}
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                open(items);
            }
        }
        Schema::OneOf(choices) => choices.items.iter_mut().for_each(open),
        Schema::AllOf(parts) => parts.items.iter_mut().for_each(open),
        Schema::AnyOf(choices) => choices.items.iter_mut().for_each(open),
        _ => {}
    }
}

/// Adds the parts of the document that the macros cannot express.
struct Finish;

impl Modify for Finish {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        // Relative to this document, regardless of where the router is nested.
        openapi.servers = Some(vec![Server::new("../api")]);
        env!("CARGO_PKG_VERSION").clone_into(&mut openapi.info.version);
        openapi.security = Some(vec![SecurityRequirement::new("bearer", [""; 0])]);
        for path in openapi.paths.paths.values_mut() {
            path.get.iter_mut().for_each(known);
            let operations = [
                &mut path.get,
                &mut path.post,
                &mut path.patch,
                &mut path.delete,
            ];
            for operation in operations.into_iter().flatten() {
                describe(&mut operation.responses);
                operation.request_body.iter_mut().for_each(leave_out);
                let parameters = operation.parameters.iter_mut().flatten();
                parameters
                    .filter_map(|parameter| parameter.schema.as_mut())
                    .for_each(never_null);
            }
        }
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
        components.schemas.values_mut().for_each(open);
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
