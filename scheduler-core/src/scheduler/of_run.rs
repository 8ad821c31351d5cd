//! Access from a run to the scheduler that carries it out.

use super::Scheduler;
use crate::engine::Engine;
use crate::task::context::JobContext;

impl JobContext {
    /// Returns the scheduler that carries out this run, to add, change or remove jobs.
    ///
    /// The context itself does not keep the scheduler alive: returns `None` in a context that outlived its run and
    /// the scheduler, and in one created by [`testing::context`](crate::testing::context). While a task runs, its
    /// scheduler exists.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn remind_later(ctx: JobContext) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    ///     let scheduler = ctx.scheduler().ok_or("not inside of a scheduler")?;
    ///     scheduler.add_job(remind_later::job().id("again").trigger(Trigger::now())).await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let ctx = scheduler_core::testing::context("remind")?;
    /// assert!(remind_later(ctx).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn scheduler(&self) -> Option<Scheduler> {
        let engine = self.0.home.engine.upgrade()?;
        engine.downcast::<Engine>().ok().map(Scheduler)
    }
}
