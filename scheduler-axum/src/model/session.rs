//! What the page needs first.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// The caller's role, and properties of this service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// What the caller is allowed to do.
    #[schema(value_type = RoleShape)]
    pub(crate) role: &'static str,
    /// The title of the page.
    pub(crate) title: String,
    /// The name of this process among those that share a store; null if no store is shared.
    #[schema(required = true)]
    pub(crate) node: Option<String>,
    /// The time zone of triggers that do not name one.
    #[schema(value_type = String, example = "Europe/Berlin")]
    pub(crate) time_zone: &'static str,
    /// The scheduler's time.
    pub(crate) now: DateTime<Utc>,
    /// The number of tasks for which jobs may be created here.
    pub(crate) creatable_tasks: usize,
}

/// What a caller is allowed to do.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
#[allow(dead_code)] // describes what `Role` writes
pub(crate) enum RoleShape {
    Read,
    Full,
}
