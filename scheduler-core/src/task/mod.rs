//! Tasks: annotated functions, their parameters and what they return.

pub(crate) mod arguments;
pub(crate) mod context;
pub(crate) mod data;
pub(crate) mod definition;
pub(crate) mod failure;
pub(crate) mod from_context;
mod inner_error;
pub(crate) mod output;
pub(crate) mod started_run;
