//! A job scheduler for Rust services.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod cancel;
mod clock;
mod driver;
mod dropped;
mod error;
mod event;
mod executor;
mod hash;
mod health;
mod id;
mod job;
mod job_record;
mod overrides;
pub mod plan;
mod policy;
pub mod prelude;
pub mod reconcile;
mod registry;
mod run;
mod scheduler;
pub mod store;
mod task;
pub mod testing;

pub use clock::{Clock, SystemClock};
pub use driver::UnfinishedRun;
pub use dropped::{DropReason, Dropped, DroppedTimes};
pub use error::{Error, PolicyError, StartError, StartErrors};
pub use event::{Event, EventKind, EventStream, Next, RunEvent};
pub use executor::Executor;
pub use health::{ExecutorHealth, Health, Phase, StoreHealth, Warning};
pub use id::{JobId, RunId, RunIds};
pub use job::{IntoBound, IntoCron, IntoDate, IntoInterval, Job};
pub use job_record::{DefinitionHash, JobRecord, Origin};
pub use overrides::{JobOverride, Overrides};
pub use plan::{NextFire, RefusedReason};
pub use policy::{Backoff, Coalesce, Overlap, Policies, PolicyPatch};
pub use run::{Attempt, Run, RunFilter, RunKind, RunState};
pub use scheduler::{Builder, JobPatch, RunNow, Scheduler, Shutdown, ShutdownReport, UpcomingFire};
pub use scheduler_macros::{scheduled_job, task};
pub use scheduler_triggers as triggers;
pub use scheduler_triggers::{Fold, Gap, Trigger, TriggerError, Tz, Zone};
pub use store::MemoryStore;
pub use task::arguments::Arguments;
pub use task::context::JobContext;
pub use task::data::Data;
pub use task::definition::SourceLocation;
pub use task::failure::TaskFailure;
pub use task::from_context::{FromContext, Requirement};
