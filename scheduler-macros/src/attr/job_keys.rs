//! The keys of a job: triggers, trigger options, and settings. Lists inside a trigger consist of the same groups.

use scheduler_triggers::policies;

use super::keys::Key;

/// The keys that are triggers.
pub(crate) const TRIGGERS: &[Key] = &[
    Key::text("interval", "interval = \"5m\""),
    Key::text("cron", "cron = \"0 6 * * *\""),
    Key::new(
        "calendar_interval",
        "calendar_interval(months = 1, time = \"02:30\")",
    ),
    Key::text("date", "date = \"2026-12-31T23:59:00Z\""),
    Key::new("or", "or(cron = \"0 6 * * *\", cron = \"30 18 * * *\")"),
    Key::new("and", "and(cron = \"0 6 * * *\", cron = \"* * 1 * *\")"),
];

/// The keys that are allowed next to any trigger, or inside its parentheses.
pub(crate) const TRIGGER_OPTIONS: &[Key] = &[
    Key::text("timezone", "timezone = \"Europe/Berlin\""),
    Key::text("start", "start = \"2026-01-01T00:00:00Z\"").or("start_date"),
    Key::text("end", "end = \"2026-12-31T23:59:59Z\"").or("end_date"),
    Key::text("gap", "gap = \"skip\""),
    Key::text("fold", "fold = \"both\""),
];

/// The identity of the job, and the arguments of its task.
const IDENTITY: &[Key] = &[
    Key::text("id", "id = \"cleanup_sessions\""),
    Key::text("name", "name = \"cleanup\""),
    Key::new("args", "args(user_id = 42, text = \"stand-up\")"),
];

/// The keys that are policies: those of the table from which the core is also generated.
pub(crate) const POLICIES: &[Key] = &policy_keys();

const fn policy_keys() -> [Key; policies::POLICIES.len()] {
    let mut keys = [const { Key::new("", "") }; policies::POLICIES.len()];
    let mut index = 0;
    while index < keys.len() {
        let policy = &policies::POLICIES[index];
        keys[index] = Key {
            is_text: policy.kind.is_text(),
            ..Key::new(policy.name, policy.entry)
        };
        index += 1;
    }
    keys
}

/// Returns `true` if the key's value is a count.
pub(crate) fn is_count(key: &str) -> bool {
    let mut all = policies::POLICIES.iter();
    all.any(|policy| policy.name == key && matches!(policy.kind, policies::PolicyKind::Count(_)))
}

/// How the job is registered.
const REGISTRATION: &[Key] = &[Key::new("paused", "paused = true"), CRATE, JOB_TYPE];

/// The path of the scheduler's crate.
pub(crate) const CRATE: Key = Key::new("crate", "crate = my_scheduler");

/// The name of the type that makes jobs of the task.
pub(crate) const JOB_TYPE: Key = Key::new("job_type", "job_type = CleanupJob");

/// The keys of the job itself: neither triggers nor parts of one.
pub(crate) const SETTINGS: &[&[Key]] = &[IDENTITY, POLICIES, REGISTRATION];

/// All keys of a job.
pub(crate) const ALL: &[&[Key]] = &[TRIGGERS, TRIGGER_OPTIONS, IDENTITY, POLICIES, REGISTRATION];
