//! A job to be added: a task, arguments, a trigger and policies, under an id.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::into_trigger::{IntoBound, IntoCron, IntoDate, IntoInterval, IntoTriggerOption};
use scheduler_triggers::{Fold, Gap, Trigger, TriggerError, Zone};
use serde::Serialize;

use crate::error::Error;
use crate::policy::{Backoff, Coalesce, IntoPolicy, Overlap, PolicyPatch};
use crate::task::arguments::Arguments;

/// A job to be added with [`Scheduler::add_job`](crate::Scheduler::add_job).
///
/// It is usually created by the task itself, so that the compiler checks the arguments:
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn send_reminder(user_id: i64, text: String) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let reminder = send_reminder::job(42, "stand-up".into())
///     .id("reminder-42")
///     .cron("45 8 * * mon-fri")
///     .timezone(Tz::Europe__Berlin);
/// let job = scheduler.add_job(reminder).await?;
/// assert_eq!(job.arguments.to_string(), r#"{"text":"stand-up","user_id":42}"#);
/// # Ok(())
/// # }
/// ```
///
/// It can also be created by name, as an HTTP handler does (see [`Job::new`]), or read from a file or a request (see
/// [As data](Job#as-data)).
///
/// Only a trigger is required; everything else has a default. Errors in triggers and arguments are reported by
/// `add_job`, so that the calls can be chained.
///
/// # When
///
/// The last of [`cron`](Self::cron), [`interval`](Self::interval), [`date`](Self::date) and
/// [`trigger`](Self::trigger) applies. [`timezone`](Self::timezone), [`start`](Self::start), [`end`](Self::end),
/// [`gap`](Self::gap) and [`fold`](Self::fold) refine it, in any order. An option that the trigger does not support
/// is an error.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::VirtualClock;
/// use scheduler_core::{Fold, Gap};
///
/// #[task]
/// async fn tick() {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = VirtualClock::at("2026-03-28T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
/// # let scheduler = builder.start().await?;
/// for (job, first) in [
///     (tick::job().interval("1h 30m"), "2026-03-28T01:30:00Z"),
///     (tick::job().date("2026-04-01T12:00:00+02:00"), "2026-04-01T10:00:00Z"),
///     (tick::job().trigger(Trigger::cron("@monthly")?), "2026-04-01T00:00:00Z"),
///     (
///         tick::job()
///             .cron("0 9 * * *")
///             .timezone(Tz::Europe__Berlin)
///             .start("2026-04-01T00:00:00")
///             .end("2026-04-30T23:59:59"),
///         "2026-04-01T07:00:00Z",
///     ),
///     // 02:30 does not exist on 29 March in Berlin, and that day is left out.
///     (
///         tick::job()
///             .cron("30 2 29,30 * *")
///             .timezone("Europe/Berlin")
///             .gap(Gap::Skip)
///             .fold(Fold::First),
///         "2026-03-30T00:30:00Z",
///     ),
/// ] {
///     let job = scheduler.add_job(job).await?;
///     assert_eq!(job.next_run_time(), Some(first.parse::<DateTime<Utc>>()?));
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Policies
///
/// Policies that are not set come from [`Builder::defaults`](crate::Builder::defaults), and then from
/// [`Policies::default`](crate::Policies). Values that an attribute takes as text may be given as text here, too.
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::prelude::*;
/// use scheduler_core::{Backoff, Coalesce, LocalExecutor, MemoryStore, Overlap, PolicyPatch};
///
/// #[task]
/// async fn settle_payments() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// let scheduler = Scheduler::builder()
///     .executor("payments", LocalExecutor::with_limit(4))
///     .named_store("ledger", MemoryStore::new())
/// #   .without_static_jobs()
///     .start()
///     .await?;
/// let settle = settle_payments::job()
///     .interval("10m")
///     .misfire_grace_time("5m") // or Duration::from_secs(300)
///     .coalesce(Coalesce::Earliest)
///     .max_instances(2)
///     .overlap(Overlap::Queue(1))
///     .timeout(Duration::from_secs(60))
///     .retries(3)
///     .backoff(Backoff::constant(Duration::from_secs(5)))
///     .jitter("30s")
///     .at_most_once(false)
///     .executor("payments")
///     .store("ledger")
///     .run_on_start(false)
///     .policies(PolicyPatch::new().retries(4)); // the last one counts
/// let job = scheduler.add_job(settle).await?;
/// assert_eq!((job.policies.max_instances, job.policies.retries), (2, 4));
/// # Ok(())
/// # }
/// ```
///
/// # As data
///
/// Serde reads and writes a job in any self-describing format; it is the object that `POST api/jobs` of
/// `scheduler-axum` takes. A null field counts as absent:
///
/// | field | |
/// | --- | --- |
/// | `task` | the name of the task; required |
/// | `trigger` | its text form, or its JSON form: a map with `type`; required |
/// | `timezone` | the time zone of a trigger that is given as text and names none itself |
/// | `id` | left out, the job gets one when it is added |
/// | `arguments` | the arguments by name |
/// | `policies` | as [`PolicyPatch`] has them |
/// | `paused` | adds the job paused, with this note of at most 1,000 bytes |
///
/// [`replace_existing`](Self::replace_existing) determines how a job is added, so it is not among them. The error for
/// invalid data names every field that is wrong; [`Job::from_json`] returns the errors as data.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn mail_report(city: String) {}
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     jobs: Vec<Job>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let config: Config = toml::from_str(r#"
///     [[jobs]]
///     id = "report-berlin"
///     task = "mail_report"
///     arguments.city = "Berlin"
///     trigger = "0 9 * * mon-fri"
///     timezone = "Europe/Berlin"
///     policies.misfire_grace_time = "1h"
/// "#)?;
/// // Each start of the program brings the stored jobs in line with the file.
/// let jobs = config.jobs.into_iter().map(|job| job.replace_existing(true));
/// let added = scheduler.add_jobs(jobs).await?;
/// assert_eq!(added[0].trigger.to_string(), "cron 0 9 * * mon-fri timezone=Europe/Berlin");
///
/// let mistake = toml::from_str::<Job>(r#"
///     task = "mail_report"
///     trigger = "0 9 * * mon-fir"
///     policies.retry = 3
/// "#);
/// let errors = mistake.map_err(|error| error.to_string()).unwrap_err();
/// assert!(errors.contains("did you mean `fri`?"), "{errors}");
/// assert!(errors.contains("`policies.retry`: there is no such policy"), "{errors}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a job does nothing until it is given to `add_job`"]
pub struct Job {
    pub(crate) task: Cow<'static, str>,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) arguments: Arguments,
    pub(crate) argument_error: Option<Box<ArgumentError>>,
    pub(crate) trigger: Option<Result<Trigger, TriggerError>>,
    trigger_options: Vec<(&'static str, String)>,
    /// Boxed, and `None` when no policy is set, because every call below moves the job.
    pub(crate) policies: Option<Box<PolicyPatch>>,
    pub(crate) replace_existing: bool,
    pub(crate) paused: Option<Box<str>>,
}

/// An argument that could not be written as JSON.
#[derive(Debug, Clone)]
pub(crate) struct ArgumentError {
    pub(crate) argument: String,
    pub(crate) problem: String,
}

impl Job {
    /// Creates a job of the task with this name, without arguments.
    ///
    /// The existence of the task is checked when the job is added.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn grant_credit(user_id: i64, reason: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let job = Job::new("grant_credit")
    ///     .argument("user_id", 42)
    ///     .argument("reason", "sorry")
    ///     .date("2090-01-01T00:00:00Z");
    /// scheduler.add_job(job).await?;
    ///
    /// let unknown = scheduler.add_job(Job::new("grant_credits").interval("1h")).await;
    /// let error = unknown.map_err(|error| error.to_string());
    /// assert!(error.is_err_and(|text| text.contains("did you mean `grant_credit`")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(task: impl Into<Cow<'static, str>>) -> Self {
        Self {
            task: task.into(),
            id: None,
            arguments: Arguments::new(),
            argument_error: None,
            trigger: None,
            trigger_options: Vec::new(),
            policies: None,
            replace_existing: false,
            paused: None,
        }
    }

    /// Sets the id: 1 to 255 bytes of printable UTF-8.
    ///
    /// Without one, the job gets a unique id that begins with its task's name.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn refresh_token(user: u32) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let named = scheduler.add_job(refresh_token::job(1).id("token-1").interval("1h")).await?;
    /// assert_eq!(named.id, "token-1");
    /// let unnamed = scheduler.add_job(refresh_token::job(2).interval("1h")).await?;
    /// assert!(unnamed.id.as_str().starts_with("refresh_token-"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds or replaces one argument by name, as [`Job::new`] shows; any serde type.
    ///
    /// If a value cannot be written as JSON, `add_job` reports it.
    pub fn argument(mut self, name: &str, value: impl Serialize) -> Self {
        match self.arguments.clone().with(name, value) {
            Ok(arguments) => self.arguments = arguments,
            Err(error) => {
                self.argument_error.get_or_insert_with(|| {
                    Box::new(ArgumentError {
                        argument: name.to_owned(),
                        problem: format!("argument `{name}` cannot be written as JSON: {error}"),
                    })
                });
            }
        }
        self
    }

    /// Replaces all arguments.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::Arguments;
    ///
    /// #[task]
    /// async fn move_file(from: String, to: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let arguments: Arguments = serde_json::from_str(r#"{"from": "a", "to": "b"}"#)?;
    /// let job = Job::new("move_file").arguments(arguments.clone()).interval("1h");
    /// assert_eq!(scheduler.add_job(job).await?.arguments, arguments);
    /// # Ok(())
    /// # }
    /// ```
    pub fn arguments(mut self, arguments: impl Into<Arguments>) -> Self {
        self.arguments = arguments.into();
        self.argument_error = None;
        self
    }

    /// Sets any trigger, including `and` and `or`. Shown under [When](Job#when).
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(Ok(trigger));
        self
    }

    /// Fires at each match of a cron text such as `"0 6 * * mon-fri"`, or of a schedule of the
    /// `cron` crate, with the feature `cron`.
    ///
    /// The text is crontab(5): five fields, six with seconds first, seven with a year last, or a
    /// name such as `@daily`. Shown under [When](Job#when).
    pub fn cron(mut self, expression: impl IntoCron) -> Self {
        self.trigger = Some(expression.into_cron());
        self
    }

    /// Fires each time this much time has passed: `"1h 30m"` or a [`Duration`], at least a millisecond.
    ///
    /// Counts from [`start`](Self::start), or from when the job is added. Long runs do not shift the fire times.
    /// Shown under [When](Job#when).
    pub fn interval(mut self, every: impl IntoInterval) -> Self {
        self.trigger = Some(every.into_interval());
        self
    }

    /// Fires once: an RFC 3339 text or a [`DateTime`](chrono::DateTime).
    ///
    /// `add_job` refuses an instant in the past; `.trigger(Trigger::now())` fires at once. Shown under
    /// [When](Job#when).
    pub fn date(mut self, at: impl IntoDate) -> Self {
        self.trigger = Some(at.into_date());
        self
    }

    /// Fires once, as soon as the job is added.
    pub fn now(self) -> Self {
        self.trigger(Trigger::now())
    }

    /// Sets the trigger's time zone (default: the scheduler's): a [`Zone`] or its name.
    ///
    /// Shown under [When](Job#when).
    pub fn timezone(self, zone: impl IntoTriggerOption<Zone>) -> Self {
        self.trigger_option("timezone", zone.into_option())
    }

    /// Fires only at or after this: RFC 3339, or a wall-clock time of the trigger's zone.
    ///
    /// For an interval, this is also the instant from which it counts. Shown under [When](Job#when).
    pub fn start(self, start: impl IntoBound) -> Self {
        self.trigger_option("start", start.into_bound())
    }

    /// Fires only at or before this: RFC 3339, or a wall-clock time of the trigger's zone.
    ///
    /// Afterwards the job is [finished](crate::JobRecord::is_finished). Shown under
    /// [When](Job#when).
    pub fn end(self, end: impl IntoBound) -> Self {
        self.trigger_option("end", end.into_bound())
    }

    /// Sets the meaning of a wall-clock time that does not exist on a day: a [`Gap`] or its text.
    ///
    /// By default, a fixed time fires at the first instant after the gap, and a frequency does not fire. Shown under
    /// [When](Job#when).
    pub fn gap(self, gap: impl IntoTriggerOption<Gap>) -> Self {
        self.trigger_option("gap", gap.into_option())
    }

    /// Sets the meaning of a wall-clock time that occurs twice on a day: a [`Fold`] or its text.
    ///
    /// By default, a fixed time fires only the first time, and a frequency both times. Shown under [When](Job#when).
    pub fn fold(self, fold: impl IntoTriggerOption<Fold>) -> Self {
        self.trigger_option("fold", fold.into_option())
    }

    fn trigger_option(mut self, key: &'static str, value: String) -> Self {
        self.trigger_options.push((key, value));
        self
    }

    /// Applies policies on top of those set so far: the ones they set apply, the rest is unchanged. Shown under
    /// [Policies](Job#policies).
    pub fn policies(self, policies: PolicyPatch) -> Self {
        self.change(|present| present.then(policies))
    }

    fn change(mut self, change: impl FnOnce(PolicyPatch) -> PolicyPatch) -> Self {
        let policies = self
            .policies
            .take()
            .map_or_else(PolicyPatch::default, |policies| *policies);
        self.policies = Some(Box::new(change(policies)));
        self
    }

    /// Replaces an existing job with the same id instead of refusing (default: refuses).
    ///
    /// With the same task and an unchanged trigger, the job carries on: an interval keeps its starting point, and
    /// pending fire times and queued runs are kept. So a job can be added again whenever its configuration is read. A
    /// different trigger counts from now, and pending fire times are skipped as `superseded`.
    ///
    /// A job defined in code is never replaced. [`add_job`](crate::Scheduler::add_job) has an example.
    pub fn replace_existing(mut self, replace: bool) -> Self {
        self.replace_existing = replace;
        self
    }

    /// Adds the job paused, with a note that gives the reason. It stays paused until
    /// [`resume_job`](crate::Scheduler::resume_job).
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn launch_campaign() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let campaign = launch_campaign::job().id("campaign").interval("1d");
    /// let campaign = campaign.paused("not approved yet");
    /// assert_eq!(scheduler.add_job(campaign).await?.next_run_time(), None);
    /// assert!(scheduler.resume_job("campaign").await?.next_run_time().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn paused(mut self, note: impl Into<Box<str>>) -> Self {
        self.paused = Some(note.into());
        self
    }

    /// Returns the name of the task.
    ///
    /// ```
    /// assert_eq!(scheduler_core::Job::new("send_report").get_task(), "send_report");
    /// ```
    pub fn get_task(&self) -> &str {
        &self.task
    }

    /// Returns the id, if one was set.
    ///
    /// ```
    /// use scheduler_core::Job;
    ///
    /// assert_eq!(Job::new("send_report").get_id(), None);
    /// assert_eq!(Job::new("send_report").id("daily").get_id(), Some("daily"));
    /// ```
    pub fn get_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns the arguments.
    ///
    /// ```
    /// use scheduler_core::Job;
    ///
    /// let job = Job::new("send_report").argument("city", "Berlin");
    /// assert_eq!(job.get_arguments().to_string(), r#"{"city":"Berlin"}"#);
    /// ```
    pub fn get_arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Returns the trigger with its options, such as the time zone.
    ///
    /// # Errors
    /// [`Error::NoTrigger`], [`Error::Trigger`].
    ///
    /// ```
    /// use scheduler_core::Job;
    ///
    /// let job = Job::new("send_report").timezone("Europe/Berlin").cron("0 9 * * *");
    /// assert_eq!(job.get_trigger()?.to_string(), "cron 0 9 * * * timezone=Europe/Berlin");
    /// assert!(Job::new("send_report").get_trigger().is_err());
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn get_trigger(&self) -> Result<Trigger, Error> {
        let name = self.get_id().unwrap_or(&self.task);
        self.with_options(self.trigger.clone(), name)
    }

    /// Returns the trigger with its zone, bounds and clock-change rules.
    pub(crate) fn finished_trigger(&mut self, name: &str) -> Result<Trigger, Error> {
        let trigger = self.trigger.take();
        self.with_options(trigger, name)
    }

    fn with_options(
        &self,
        trigger: Option<Result<Trigger, TriggerError>>,
        name: &str,
    ) -> Result<Trigger, Error> {
        let mut trigger = trigger.ok_or_else(|| Error::NoTrigger {
            job: name.to_owned(),
        })?;
        // The order of the calls does not matter. Wall-clock bounds are read in the time zone. Only an interval takes
        // a zone solely for its bounds, and therefore after them.
        let zone_first = !matches!(&trigger, Ok(trigger) if trigger.kind() == "interval");
        for is_zones_turn in [zone_first, !zone_first] {
            for (key, value) in &self.trigger_options {
                if (*key == "timezone") == is_zones_turn {
                    trigger = trigger.and_then(|trigger| trigger.with(key, value));
                }
            }
        }
        trigger.map_err(|source| Error::Trigger {
            job: name.to_owned(),
            source,
        })
    }
}

macro_rules! define {
    ($(
        $(#[$doc:meta])*
        $name:ident($argument:ident: $input:ty): $type:ty = $value:expr;
        kind: $kind:expr;
        default: $default:literal;
        samples: $($sample:literal),+;
        $(excludes: $other:ident, $problem:literal;)?
        meaning: $meaning:literal;
    )+) => {
        /// One method for each policy.
        impl Job {
            $(
                $(#[$doc])*
                ///
                /// The same as [`PolicyPatch`] has; shown under [Policies](Job#policies).
                pub fn $name(self, $argument: $input) -> Self {
                    self.change(|policies| policies.$name($argument))
                }
            )+
        }
    };
}

scheduler_triggers::policies!(define);
