//! Policies of a job: what happens when a fire time cannot simply be run.
//!
//! `scheduler_triggers::policies` is the table of policies, from which the two structs, the builder's methods, JSON,
//! checks and the frozen texts are generated. Behavior that depends on a type rather than on a policy is a trait
//! here, implemented once per type.

mod check;
mod definition_text;
mod into_policy;
mod json;
mod patch;
mod policies;
mod shared;
mod text;

pub(crate) use definition_text::WrittenPolicy;
pub use into_policy::IntoPolicy;
pub use patch::PolicyPatch;
pub(crate) use policies::DEFAULT_NAME;
pub use policies::Policies;
#[doc(inline)]
pub use scheduler_triggers::policies::{Backoff, Coalesce, Overlap};
pub(crate) use shared::SharedPolicies;
