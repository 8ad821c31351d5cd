//! The policies of a job as data: what happens when a fire time cannot simply be run.
//!
//! Each policy is defined once, in a single table. The macros take their keys and bounds from it, the core its types,
//! builder methods and JSON, the HTTP API its document and the page its form.
//!
//! ```
//! use scheduler_triggers::policies::{POLICIES, PolicyKind};
//!
//! let retries = POLICIES.iter().find(|policy| policy.name == "retries");
//! assert!(retries.is_some_and(|policy| policy.default == "0"));
//! let limits = POLICIES.iter().filter(|policy| matches!(policy.kind, PolicyKind::Limit { .. }));
//! assert_eq!(limits.count(), 2);
//! ```

mod backoff;
mod coalesce;
mod error;
mod kind;
mod overlap;
mod spec;
mod table;
#[cfg(feature = "serde")]
mod text_form;

pub use backoff::Backoff;
pub use coalesce::Coalesce;
pub use error::PolicyError;
pub use kind::{CountBounds, PolicyKind};
pub use overlap::Overlap;
pub use spec::{Exclusion, POLICIES, PolicySpec, named};
