//! What a program that schedules jobs names: `use scheduler_core::prelude::*;`.

pub use crate::job::Job;
pub use crate::scheduler::{Scheduler, Shutdown};
pub use crate::task::context::JobContext;
pub use crate::task::data::Data;
pub use crate::task::failure::TaskFailure;
pub use crate::task::from_context::FromContext;
pub use scheduler_macros::{scheduled_job, task};
pub use scheduler_triggers::{Trigger, Tz};
