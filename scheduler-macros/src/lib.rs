//! `#[scheduled_job]` and `#[task]`: jobs written as annotated functions, checked at compile time.
//!
//! Used through `scheduler_core`, which exports both, together with the items that their output needs.

mod attr;
mod carets;
mod errors;
mod expand;
mod fallback;
mod item;
mod pipeline;
mod suggest;
mod valid;

use proc_macro::TokenStream;

use pipeline::Which;

/// Registers a function as a task, together with a static job of it.
///
/// ```
/// use scheduler_core::prelude::*;
/// # struct Sessions;
/// # impl Sessions { async fn delete_expired(&self) -> Result<u64, std::io::Error> { Ok(0) } }
///
/// /// Runs every hour, never twice at once, and is skipped if it would be over five minutes late.
/// #[scheduled_job(interval = "1h", id = "cleanup_sessions", misfire_grace_time = "5m")]
/// async fn cleanup_expired_sessions(sessions: Data<Sessions>) -> Result<u64, std::io::Error> {
///     sessions.delete_expired().await
/// }
/// ```
///
/// The function itself does not change: it can be called, documented and tested as before. In addition,
/// `function_name::job(…)` creates further jobs of the same task at run time, with arguments that the compiler
/// checks. Functions may be `async` or not; they return `()`, a value that implements `Serialize`, or a `Result` of
/// such a value and an error.
///
/// # Keys
/// **When**: exactly one of
///
/// | key | meaning |
/// | --- | --- |
/// | `interval = "5m"` | each time this much time has passed |
/// | `cron = "0 6 * * mon-fri"` | crontab(5): minute, hour, day, month, weekday |
/// | `cron(hour = 6, day_of_week = "mon-fri")` | the same by field, all of which must match |
/// | `calendar_interval(months = 1, time = "02:30")` | a time of day every N days, weeks, months or years |
/// | `date = "2026-12-31T23:59:00Z"` | once |
/// | `or(…)`, `and(…)` | the fire times of any, or of all, of the triggers inside |
///
/// with, next to it or inside its parentheses, `timezone = "Europe/Berlin"`, `start = "…"` (`start_date`),
/// `end = "…"` (`end_date`), and for clock changes `gap = "next" | "skip"` and `fold = "first" | "both"`. The text
/// forms accept them too: `cron("0 6 * * *", timezone = "…")`.
///
/// **Which**: `id = "…"` (default: the task's name), `name = "…"` (the task's name; default: the function's), each a
/// text, a constant, or a macro such as `stringify!(…)`; `args(user_id = 42, text = "x")` for parameters that are
/// arguments.
///
/// **How**: policies.
///
#[doc = include_str!("policies.md")]
///
/// `paused = true` or `paused = "why"` adds the job paused; it only applies when the job is first stored.
///
/// `crate = path` names the scheduler's crate if it has another name.
///
/// `job_type = CleanupJob` sets the name of the type with `job`. It is needed if a module already has the function's
/// name, as in a crate with one job per file:
///
/// ```
/// mod cleanup {
///     use scheduler_core::prelude::*;
///
///     #[scheduled_job(interval = "1h", job_type = CleanupJob)]
///     pub async fn cleanup(days: Option<u32>) {}
/// }
/// // Without `job_type`, this would import the function and its type, but the type has the same name as the module.
/// pub use cleanup::{CleanupJob, cleanup};
///
/// let job = CleanupJob::job(Some(7));
/// # let _ = job;
/// ```
///
/// # Parameters
/// `JobContext` and `Data<T>` are injected, and so is any parameter marked `#[inject]` whose type
/// implements `FromContext`. Every other parameter, or one marked `#[arg]`, is an argument of the
/// job; `#[arg(default)]` and `#[arg(default = value)]` let a job leave it out.
///
/// ```
/// # use scheduler_core::prelude::*;
/// #[scheduled_job(cron = "45 8 * * mon-fri", args(team = "core", remind = true))]
/// async fn stand_up(team: String, remind: bool, #[arg(default = 15)] minutes: u32, ctx: JobContext) {}
///
/// // At run time, with every argument:
/// let job = stand_up::job("web".into(), false, 30).id("web-stand-up").cron("0 9 * * mon");
/// # let _ = job;
/// ```
///
/// `#[arg(secret)]`, alone or together with a default, marks a value that only the task may see, such as a password.
/// The HTTP API and the page show `***` instead, and accept `***` as "unchanged"; no error repeats the value. It is
/// stored as plain text: anyone who can read the database, and code that calls `find_job`, can read it. The
/// `revision` of a job is a hash of all its arguments, from which a short secret, such as a number of four digits,
/// can be found by trying: use long and random secrets.
///
/// ```
/// # use scheduler_core::prelude::*;
/// #[task]
/// async fn fetch_statement(bank: String, #[arg(secret)] token: String) {}
/// ```
///
/// # Several jobs
/// A function may have several `#[scheduled_job]` attributes, each with an `id`. It has no additional `#[task]`,
/// since they already register the task.
///
/// ```
/// # use scheduler_core::prelude::*;
/// #[scheduled_job(cron = "0 6 * * *", timezone = "Asia/Shanghai", id = "report_shanghai")]
/// #[scheduled_job(
///     or(cron("0 6 * * *", timezone = "Europe/Berlin"), calendar_interval(months = 1, time = "18:00")),
///     id = "report_berlin",
///     retries = 3,
/// )]
/// fn report(ctx: JobContext) {}
/// ```
///
/// # Mistakes
/// Whatever can be checked at compile time is a compile error, and all mistakes of an attribute are reported at once:
///
/// ```compile_fail
/// # use scheduler_core::prelude::*;
/// #[scheduled_job(cron = "0 25 * * *")] // `25` is out of range for hour, which takes 0-23
/// async fn never() {}
/// ```
///
/// A task is a free function, outside of `impl` blocks, and neither generic nor `unsafe`.
#[proc_macro_attribute]
pub fn scheduled_job(attr: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run(Which::ScheduledJob, attr.into(), &item.into()).into()
}

/// Registers a function as a task without a trigger, to be scheduled at run time.
///
/// ```
/// use scheduler_core::prelude::*;
/// # struct Mailer;
///
/// #[task]
/// async fn send_reminder(user_id: i64, text: String, mail: Data<Mailer>) {}
///
/// // An argument for `scheduler.add_job(…)`:
/// let job = send_reminder::job(42, "stand-up".into()).cron("45 8 * * mon-fri");
/// # let _ = job;
/// ```
///
/// Keys: `name = "…"` (default: the function's name), `crate = path` and `job_type = Name`. They and the parameters
/// work as in [`macro@scheduled_job`].
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run(Which::Task, attr.into(), &item.into()).into()
}
