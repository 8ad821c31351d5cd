//! The JSON shapes of the API.

mod arguments_schema;
pub(crate) mod event;
pub(crate) mod health;
pub(crate) mod job;
pub(crate) mod node;
pub(crate) mod policies;
pub(crate) mod preview;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod skipped;
pub(crate) mod task;
pub(crate) mod trigger;
pub(crate) mod upcoming;

use serde::Serialize;
use utoipa::ToSchema;

/// The location of an annotated function or its attribute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Location {
    /// The file, as the compiler names it.
    #[schema(value_type = String, example = "src/reports.rs")]
    file: &'static str,
    /// The line, from 1.
    line: u32,
    /// The path of the module.
    #[schema(value_type = String)]
    module: &'static str,
    /// The package.
    #[schema(value_type = String)]
    package: &'static str,
}

impl From<scheduler_core::SourceLocation> for Location {
    fn from(location: scheduler_core::SourceLocation) -> Self {
        Self {
            file: location.file,
            line: location.line,
            module: location.module,
            package: location.package,
        }
    }
}

/// Returns a duration in whole milliseconds, at most the largest `u64`.
pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
