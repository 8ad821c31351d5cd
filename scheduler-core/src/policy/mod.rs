//! Policies of a job: what happens when a fire time cannot simply be run.

mod backoff;
mod coalesce;
mod definition_text;
mod duration_text;
mod overlap;
mod patch;
mod policies;
mod shared;

pub use backoff::Backoff;
pub use coalesce::Coalesce;
pub(crate) use definition_text::WrittenPolicy;
pub use overlap::Overlap;
pub use patch::PolicyPatch;
pub(crate) use policies::DEFAULT_NAME;
pub use policies::Policies;
pub(crate) use shared::SharedPolicies;
