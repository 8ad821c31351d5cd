//! The names that a program with scheduled jobs needs: `use scheduler_core::prelude::*;`.
//!
//! ```
//! use scheduler_core::prelude::*;
//!
//! #[scheduled_job(cron = "0 6 * * *", id = "morning_mail")]
//! async fn morning_mail(_ctx: JobContext) {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), scheduler_core::Error> {
//! let scheduler = Scheduler::builder().only(["morning_mail"]).start().await?;
//! assert!(scheduler.get_job("morning_mail").await?.is_some());
//! scheduler.shutdown(Shutdown::wait()).await;
//! # Ok(())
//! # }
//! ```

pub use crate::job::Job;
pub use crate::scheduler::{Scheduler, Shutdown};
pub use crate::task::context::JobContext;
pub use crate::task::data::Data;
pub use crate::task::failure::TaskFailure;
pub use crate::task::from_context::FromContext;
pub use scheduler_macros::{scheduled_job, task};
pub use scheduler_triggers::{Trigger, Tz};
