//! The description of the API (`OpenAPI` 3.1), built from the routes.

pub(crate) mod document;
pub(crate) mod responses;
