//! `#[scheduled_job]` and `#[task]`: jobs written as annotated functions, checked while compiling.
//!
//! Used through `scheduler_core`, which exports both beside what their output needs.

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

/// Registers a function as a task, and a job of it that runs by itself.
///
/// ```
/// use scheduler_core::prelude::*;
/// # struct Sessions;
/// # impl Sessions { async fn delete_expired(&self) -> Result<u64, std::io::Error> { Ok(0) } }
///
/// /// Runs every hour, never twice at once, and not at all if it would be over five minutes late.
/// #[scheduled_job(interval = "1h", id = "cleanup_sessions", misfire_grace_time = "5m")]
/// async fn cleanup_expired_sessions(sessions: Data<Sessions>) -> Result<u64, std::io::Error> {
///     sessions.delete_expired().await
/// }
/// ```
///
/// The function stays as it was: callable, documented, usable in unit tests. Beside it,
/// `function_name::job(…)` makes further jobs of the same task at run time, with the arguments
/// checked by the compiler. Functions may be `async` or not; they return `()`, a value that
/// implements `Serialize`, or a `Result` of such a value and an error.
///
/// # Keys
/// **When**: exactly one of
///
/// | key | meaning |
/// | --- | --- |
/// | `interval = "5m"` | each time so much has passed |
/// | `cron = "0 6 * * mon-fri"` | crontab(5): minute, hour, day, month, weekday |
/// | `cron(hour = 6, day_of_week = "mon-fri")` | the same by field, all of which must match |
/// | `calendar_interval(months = 1, time = "02:30")` | the same time every so many days, weeks, months, years |
/// | `date = "2026-12-31T23:59:00Z"` | once |
/// | `or(…)`, `and(…)` | instants that any, or all, of the triggers inside name |
///
/// with, beside or inside the parentheses, `timezone = "Europe/Berlin"`, `start = "…"`
/// (`start_date`), `end = "…"` (`end_date`), and for clock changes `gap = "next" | "skip"` and
/// `fold = "first" | "both"`. The text forms take them too: `cron("0 6 * * *", timezone = "…")`.
///
/// **Which**: `id = "…"` (the task's name unless given), `name = "…"` (the task's name; the
/// function's unless given), each a text, a constant, or a macro such as `stringify!(…)`; `args(user_id = 42, text = "x")` for parameters that are arguments.
///
/// **How**: policies.
///
#[doc = include_str!("policies.md")]
///
/// `paused = true` or `paused = "why"` adds the job paused; it counts when the job is first stored, never
/// again.
///
/// `crate = path` names the scheduler's crate where it goes by another name.
///
/// `job_type = CleanupJob` gives the type that has `job` a name of its own. It is needed where the function's name
/// is taken by a module, as in a crate with one job per file:
///
/// ```
/// mod cleanup {
///     use scheduler_core::prelude::*;
///
///     #[scheduled_job(interval = "1h", job_type = CleanupJob)]
///     pub async fn cleanup(days: Option<u32>) {}
/// }
/// // Without `job_type`, this would import the function and its type, and the name of the type is the module's.
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
/// `#[arg(secret)]`, alone or beside a default, marks what only the task may see, such as a password. The HTTP API
/// and the page show `***` in its place and take `***` for "as it is stored", and no error repeats the value. It is
/// stored as it is: who can read the database, or calls `find_job` in the program, reads it. The `revision` of a job is
/// a hash of all its arguments, from which a short secret, such as a number of four digits, can be found by trying: use
/// secrets that are long and random.
///
/// ```
/// # use scheduler_core::prelude::*;
/// #[task]
/// async fn fetch_statement(bank: String, #[arg(secret)] token: String) {}
/// ```
///
/// # Several jobs
/// A function may carry several `#[scheduled_job]`, each with an `id`. It carries no `#[task]`
/// beside them: the task is registered already.
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
/// Whatever can be known while compiling is an error while compiling, all of an attribute at once:
///
/// ```compile_fail
/// # use scheduler_core::prelude::*;
/// #[scheduled_job(cron = "0 25 * * *")] // `25` is out of range for hour, which takes 0-23
/// async fn never() {}
/// ```
///
/// A task stands by itself, outside of `impl` blocks, and is neither generic nor `unsafe`.
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
/// // To be given to `scheduler.add_job(…)`:
/// let job = send_reminder::job(42, "stand-up".into()).cron("45 8 * * mon-fri");
/// # let _ = job;
/// ```
///
/// Keys: `name = "…"` (the function's unless given), `crate = path` and `job_type = Name`. Keys and parameters are
/// those of [`macro@scheduled_job`].
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run(Which::Task, attr.into(), &item.into()).into()
}
