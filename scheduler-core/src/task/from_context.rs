//! Providing the value of an injected parameter.

use super::context::JobContext;
use super::data::{Data, DataRemedy, Requirement};
use super::failure::TaskFailure;

/// A type that a task can take as an injected parameter.
///
/// Implemented by [`JobContext`] and [`Data<T>`]. Implement it for a custom type and mark the parameter `#[inject]`.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// struct RunLabel(String);
///
/// impl FromContext for RunLabel {
///     fn from_context(context: &JobContext) -> Result<Self, TaskFailure> {
///         Ok(Self(format!("{}#{}", context.job_id(), context.attempt())))
///     }
/// }
///
/// #[task]
/// async fn labelled(#[inject] label: RunLabel) {
///     tracing::info!(label = label.0);
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = scheduler_core::testing::context("weekly")?;
/// assert_eq!(RunLabel::from_context(&context)?.0, "weekly#1");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be injected into a task",
    label = "not a `JobContext`, not a `Data<T>`, and `FromContext` is not implemented for it",
    note = "a value of the application is injected as `Data<{Self}>` after `.data(value)` on the scheduler's builder",
    note = "an argument of the job carries no `#[inject]`"
)]
pub trait FromContext: Sized + Send + 'static {
    /// Extracts the value from the run's context.
    ///
    /// # Errors
    /// Returns what is missing. The run fails with this error.
    fn from_context(context: &JobContext) -> Result<Self, TaskFailure>;

    /// Returns the `.data(…)` value that this type needs, so that a missing one is detected when the scheduler starts
    /// rather than when the job runs. `None` (the default) needs nothing.
    fn requires() -> Option<Requirement> {
        None
    }
}

impl FromContext for JobContext {
    fn from_context(context: &JobContext) -> Result<Self, TaskFailure> {
        Ok(context.clone())
    }
}

impl<T: ?Sized + Send + Sync + 'static> FromContext for Data<T> {
    fn from_context(context: &JobContext) -> Result<Self, TaskFailure> {
        context.data::<T>().ok_or_else(|| {
            let needed = Requirement::of::<T>();
            let remedy = context.missing_data(&needed);
            let remedy = remedy.unwrap_or(DataRemedy::Provide);
            let text = remedy.text(needed.type_name);
            TaskFailure::new(format!("the task asks for `{}`, {text}", needed.type_name))
        })
    }

    fn requires() -> Option<Requirement> {
        Some(Requirement::of::<T>())
    }
}
