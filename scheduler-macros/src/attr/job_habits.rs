//! Words of other schedulers for the keys of a job.

use super::habit::{Answer, Habit, Words};
use super::trigger_words;
use super::unit;
use super::written;

/// Words are spelled in Rust's style; `fixedRate` is found as `fixed_rate`.
pub(crate) const HABITS: &[Habit] = &[
    Habit::of_all(
        trigger_words::is_trigger_word,
        Answer::Together("interval", trigger_words::trigger),
    ),
    Habit::new(
        &["tz", "zone", "time_zone", "tzinfo", "timezone_name"],
        Answer::Zone,
    ),
    Habit::new(
        &[
            "from",
            "since",
            "begin",
            "start_time",
            "start_at",
            "starts_at",
            "not_before",
        ],
        Answer::Key("start"),
    ),
    Habit::new(
        &[
            "until",
            "end_time",
            "end_at",
            "ends_at",
            "not_after",
            "expires_at",
        ],
        Answer::Key("end"),
    ),
    Habit::new(
        &[
            "job_id",
            "identity",
            "with_identity",
            "key",
            "job_key",
            "slug",
            "label",
        ],
        Answer::Key("id"),
    ),
    Habit::new(&["task", "task_name", "job_name"], Answer::Key("name")),
    Habit::new(&["jobstore", "job_store", "backend"], Answer::Key("store")),
    Habit::new(
        &["queue", "queue_name", "worker", "worker_pool", "pool"],
        Answer::Key("executor"),
    ),
    Habit::new(
        &[
            "max_retries",
            "retry",
            "retry_count",
            "max_retry",
            "backoff_limit",
            "retry_limit",
        ],
        Answer::Together("retries", retries),
    ),
    Habit::new(
        &["max_attempts", "attempts", "max_tries", "tries"],
        Answer::OneLess("retries"),
    ),
    Habit::new(
        &[
            "retry_delay",
            "default_retry_delay",
            "retry_backoff",
            "retry_interval",
            "retry_after",
        ],
        Answer::Time("backoff", "s"),
    ),
    Habit::new(
        &[
            "time_limit",
            "timeout_secs",
            "timeout_seconds",
            "timeout_sec",
            "execution_timeout",
            "active_deadline_seconds",
            "soft_time_limit",
            "max_runtime",
            "max_duration",
        ],
        Answer::Time("timeout", "s"),
    ),
    Habit::new(
        &["timeout_ms", "timeout_millis"],
        Answer::Time("timeout", "ms"),
    ),
    Habit::new(
        &[
            "starting_deadline_seconds",
            "expires",
            "expires_in",
            "grace",
            "grace_time",
            "grace_period",
            "misfire_grace",
            "misfire_grace_seconds",
            "max_lateness",
        ],
        Answer::Time("misfire_grace_time", "s"),
    ),
    Habit::new(
        &["misfire_threshold"],
        Answer::Time("misfire_grace_time", "ms"),
    ),
    Habit::new(
        &["jitter_seconds", "jitter_secs", "splay", "random_delay"],
        Answer::Time("jitter", "s"),
    ),
    Habit::new(&["jitter_ms"], Answer::Time("jitter", "ms")),
    Habit::new(
        &["any", "any_of", "one_of", "either"],
        Answer::Together("or", trigger_words::any),
    ),
    Habit::new(
        &["all", "all_of", "both"],
        Answer::Together("and", trigger_words::all),
    ),
    Habit::new(
        &[
            "max_concurrency",
            "max_concurrent",
            "max_parallel",
            "parallelism",
            "max_active_runs",
            "instances",
        ],
        Answer::Key("max_instances"),
    ),
    Habit::new(
        &["concurrency", "concurrency_policy", "overlap_policy"],
        Answer::Together("overlap", concurrency_policy),
    ),
    Habit::new(
        &[
            "disallow_concurrent_execution",
            "without_overlapping",
            "no_overlap",
            "exclusive",
            "singleton",
        ],
        Answer::Say(one_at_a_time),
    ),
    Habit::new(&["at_least_once"], Answer::Say(at_least_once)),
    Habit::new(
        &[
            "if",
            "unless",
            "when",
            "condition",
            "only_if",
            "enabled_if",
            "run_if",
        ],
        Answer::Note(
            "a condition on the build is a `#[cfg(…)]` above the function, and `paused = true` adds a job that waits to be resumed",
        ),
    ),
    Habit::new(
        &[
            "on_error",
            "on_failure",
            "on_success",
            "on_complete",
            "callback",
            "depends_on",
            "after",
            "before",
            "next",
        ],
        Answer::Note(
            "a job starts no other and has no hooks: subscribe to the scheduler's events, or call the function at the end of the task",
        ),
    ),
    Habit::new(
        &["catchup", "catch_up"],
        Answer::Together("coalesce", catch_up),
    ),
    Habit::new(
        &["misfire_policy", "misfire_instruction", "misfire"],
        Answer::Note(
            "what is run of missed fire times is `coalesce`, and how late a run may start is `misfire_grace_time`",
        ),
    ),
    Habit::new(
        &[
            "with_misfire_handling_instruction_fire_and_proceed",
            "with_misfire_handling_instruction_fire_now",
        ],
        Answer::Note(
            "one run for all missed fire times is what `coalesce = \"latest\"` says, which is the default: leave it out",
        ),
    ),
    Habit::new(
        &["with_misfire_handling_instruction_ignore_misfires"],
        Answer::Note("a run for each missed fire time is `coalesce = \"all\"`"),
    ),
    Habit::new(
        &["with_misfire_handling_instruction_do_nothing"],
        Answer::Note(
            "missed fire times are left out by `misfire_grace_time`, which says how late a run may start",
        ),
    ),
    Habit::new(
        &["suspend", "suspended", "disabled", "is_paused"],
        Answer::Flag("paused"),
    ),
    Habit::new(
        &["enabled", "active", "is_active", "is_enabled"],
        Answer::Not("paused"),
    ),
    Habit::new(
        &[
            "start_now",
            "run_now",
            "run_immediately",
            "run_on_startup",
            "run_at_startup",
            "on_startup",
            "immediate",
            "immediately",
            "fire_immediately",
        ],
        Answer::Flag("run_on_start"),
    ),
    Habit::new(
        &["next_run_time"],
        Answer::Note(
            "a job has its next run time from its trigger; `run_on_start = true` adds a run when the process starts",
        ),
    ),
    Habit::new(
        &["initial_delay", "delay", "countdown", "start_delay"],
        Answer::Note(
            "an interval first fires one interval after the job is added; `start = \"…\"` names another instant, and `run_on_start = true` adds a run when the process starts",
        ),
    ),
    Habit::new(
        &["kwargs", "arguments", "params", "parameters"],
        Answer::Together("args", arguments),
    ),
    Habit::new(
        &["replace_existing"],
        Answer::Note(
            "jobs written in the code replace their earlier definition by themselves: leave it out",
        ),
    ),
    Habit::new(
        &[
            "unique",
            "unique_for",
            "unique_until",
            "lock",
            "lock_at_most_for",
        ],
        Answer::Note(
            "a job is unique by its `id`, has one run at a time unless `max_instances` says more, and is claimed by one process: leave it out",
        ),
    ),
    Habit::new(
        &["priority"],
        Answer::Note("jobs have no priority: give urgent ones an `executor` of their own"),
    ),
    Habit::new(
        &[
            "successful_jobs_history_limit",
            "failed_jobs_history_limit",
            "retention",
            "history",
        ],
        Answer::Note("how much history is kept is said once for a scheduler, on its builder"),
    ),
    Habit::new(
        &["bind"],
        Answer::Note("what is known of the run is a parameter: take a `JobContext`"),
    ),
    Habit::new(
        &["data", "state", "context", "app_data"],
        Answer::Note(
            "a value of the application is a parameter: take a `Data<…>`, and give the value to `Scheduler::builder().data(…)`",
        ),
    ),
    Habit::new(
        &["description", "doc", "docs", "comment", "summary"],
        Answer::Note(
            "what a task does is said in its documentation: write `/// …` above the function",
        ),
    ),
    Habit::new(
        &["tags", "meta", "metadata", "group", "job_group"],
        Answer::Note(
            "jobs are identified by their `id`, which may have a prefix, as in `id = \"billing.invoices\"`",
        ),
    ),
    Habit::new(
        &["repeat_count", "max_runs", "times", "repeat_forever"],
        Answer::Note("a job fires until `end = \"…\"`, or until it is removed"),
    ),
    Habit::new(
        &["unit", "units", "time_unit", "interval_unit"],
        Answer::Note(unit::NOTE),
    ),
];

/// Reads a count; `true` does not say how many, and `false` means none.
fn retries(words: &Words<'_>) -> Option<String> {
    let value = words.entries.first()?.given()?;
    let count = written::integer(value).or_else(|| {
        // `retry = false`
        (written::flag(value) == Some(false)).then_some(0)
    })?;
    Some(format!("retries = {count}"))
}

/// Reads `concurrencyPolicy` of Kubernetes.
fn concurrency_policy(words: &Words<'_>) -> Option<String> {
    let value = words.entries.first()?.given()?;
    if let Some(count) = written::integer(value) {
        return Some(format!("max_instances = {count}"));
    }
    let policy = match value {
        syn::Expr::Path(path) => path.path.segments.last()?.ident.to_string(),
        value => written::text(value)?,
    };
    match policy.to_lowercase().as_str() {
        "allow" => Some("max_instances = 2` or more, as in `max_instances = 10".to_owned()),
        other => overlap(other).map(|meant| format!("overlap = \"{meant}\"")),
    }
}

/// Returns the overlap policy with this name elsewhere.
pub(super) fn overlap(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "forbid" => Some("skip"),
        "replace" => Some("cancel_running"),
        _ => None,
    }
}

/// Returns the advice for a word that asks for one run at a time, or for more.
fn one_at_a_time(words: &Words<'_>) -> String {
    match flag(words) {
        Some(false) => "several runs at once are `max_instances = 2` or more",
        _ => "a job has one run at a time unless `max_instances` says more: leave it out",
    }
    .to_owned()
}

/// Returns the advice for a word that asks for the default.
fn at_least_once(words: &Words<'_>) -> String {
    match flag(words) {
        Some(false) => "a run that was cut off is not repeated if `at_most_once = true`",
        _ => "at least once is the default: leave it out",
    }
    .to_owned()
}

fn flag(words: &Words<'_>) -> Option<bool> {
    written::flag(words.entries.first()?.given()?)
}

/// Reads `catchup` of Airflow.
fn catch_up(words: &Words<'_>) -> Option<String> {
    let all = words
        .entries
        .first()?
        .given()
        .map_or(Some(true), written::flag)?;
    let coalesce = if all { "all" } else { "latest" };
    Some(format!("coalesce = \"{coalesce}\""))
}

/// Reads `kwargs(user_id = 42)`.
fn arguments(words: &Words<'_>) -> Option<String> {
    let entry = words.entries.first()?;
    let super::entry::Value::List(group) = &entry.value else {
        return None;
    };
    let text = super::entry::as_text(&group.stream()).replace(" ,", ",");
    Some(format!("args({text})"))
}
