//! `#[scheduled_job]`.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, ExprLit, Lit, LitStr, Path};

use super::args::Args;
use super::entry::{self, Entry};
use super::keys::{Key, Keys};
use super::policy::{self, Policy};
use super::{names, paused, trigger};
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "`#[scheduled_job]`",
    all: &[
        Key::new("interval", "interval = \"5m\""),
        Key::new("cron", "cron = \"0 6 * * *\""),
        Key::new(
            "calendar_interval",
            "calendar_interval(months = 1, time = \"02:30\")",
        ),
        Key::new("date", "date = \"2026-12-31T23:59:00Z\""),
        Key::new("or", "or(cron = \"0 6 * * *\", cron = \"30 18 * * *\")"),
        Key::new("and", "and(cron = \"0 6 * * *\", cron = \"* * 1 * *\")"),
        Key::new("timezone", "timezone = \"Europe/Berlin\""),
        Key::or("start", "start_date", "start = \"2026-01-01T00:00:00Z\""),
        Key::or("end", "end_date", "end = \"2026-12-31T23:59:59Z\""),
        Key::new("gap", "gap = \"skip\""),
        Key::new("fold", "fold = \"both\""),
        Key::new("id", "id = \"cleanup_sessions\""),
        Key::new("name", "name = \"cleanup\""),
        Key::new("args", "args(user_id = 42, text = \"stand-up\")"),
        Key::new("misfire_grace_time", "misfire_grace_time = \"5m\""),
        Key::new("coalesce", "coalesce = \"latest\""),
        Key::new("max_instances", "max_instances = 1"),
        Key::new("overlap", "overlap = \"skip\""),
        Key::new("timeout", "timeout = \"10m\""),
        Key::new("retries", "retries = 3"),
        Key::new("backoff", "backoff = \"1s..1m\""),
        Key::new("jitter", "jitter = \"30s\""),
        Key::new("at_most_once", "at_most_once = true"),
        Key::new("executor", "executor = \"default\""),
        Key::new("store", "store = \"default\""),
        Key::new("run_on_start", "run_on_start = true"),
        Key::new("paused", "paused = true"),
        Key::new("crate", "crate = my_scheduler"),
    ],
    inside_job: false,
    habits: &[
        ("every", "write `interval = \"5m\"`"),
        ("seconds", "write `interval = \"30s\"`"),
        ("minutes", "write `interval = \"5m\"`"),
        ("hours", "write `interval = \"1h\"`"),
        (
            "days",
            "write `interval = \"1d\"`, or `calendar_interval(days = 1, time = \"02:30\")`",
        ),
        (
            "weeks",
            "write `interval = \"1w\"`, or `calendar_interval(weeks = 1, time = \"02:30\")`",
        ),
        (
            "months",
            "write `calendar_interval(months = 1, time = \"02:30\")`",
        ),
        (
            "second",
            "cron fields stand inside: write `cron(second = 30)`",
        ),
        (
            "minute",
            "cron fields stand inside: write `cron(minute = 30)`",
        ),
        (
            "hour",
            "cron fields stand inside: write `cron(hour = 6, minute = 0)`",
        ),
        (
            "day",
            "cron fields stand inside: write `cron(day = 1, hour = 6)`",
        ),
        (
            "day_of_week",
            "cron fields stand inside: write `cron(day_of_week = \"mon-fri\", hour = 6)`",
        ),
        (
            "month",
            "cron fields stand inside: write `cron(month = \"jan\", day = 1)`",
        ),
        ("schedule", "write `cron = \"0 6 * * *\"`"),
        (
            "trigger",
            "the trigger's kind is the key: write `cron = \"0 6 * * *\"` or `interval = \"5m\"`",
        ),
        ("at", "write `date = \"2026-12-31T23:59:00Z\"`"),
        ("run_date", "write `date = \"2026-12-31T23:59:00Z\"`"),
        ("tz", "write `timezone = \"Europe/Berlin\"`"),
        ("kwargs", "write `args(user_id = 42)`"),
        ("arguments", "write `args(user_id = 42)`"),
        ("max_retries", "write `retries = 3`"),
        ("retry", "write `retries = 3`"),
        ("jobstore", "write `store = \"default\"`"),
        (
            "replace_existing",
            "jobs written in the code replace their earlier definition by themselves: leave it out",
        ),
        (
            "next_run_time",
            "write `run_on_start = true` for a run when the process starts",
        ),
    ],
};

/// What a `#[scheduled_job]` says.
pub(crate) struct JobAttr {
    /// The attribute's path.
    pub(crate) span: Span,
    pub(crate) id: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    /// The trigger's text form; `None` when it could not be read.
    pub(crate) trigger: Option<String>,
    pub(crate) policies: Vec<Policy>,
    /// The note of a job that is added paused.
    pub(crate) paused: Option<String>,
    pub(crate) args: Option<Args>,
    /// Whether something could not be read, and was told: what seems to be missing may be there.
    pub(crate) lost: bool,
}

/// Whether a key says something of the job, and is neither a trigger nor part of one.
pub(super) fn is_setting(name: &str) -> bool {
    let of_job = KEYS.all.iter().any(|key| key.name == name);
    of_job && !trigger::is_key(name)
}

impl JobAttr {
    pub(crate) fn read(span: Span, tokens: TokenStream, errors: &Errors) -> Self {
        let list = entry::entries(tokens, errors);
        bare_literals(&list.bare, errors, trigger::guess);
        let mut given = KEYS.sort(list.keyed, errors);
        let mut text = |name: &str| {
            let (key, entry) = given.take(name)?;
            let text = entry.text(key, errors)?;
            names::check(name, &text, errors);
            Some(text)
        };
        let (id, name) = (text("id"), text("name"));
        let krate = given
            .take("crate")
            .and_then(|(key, entry)| crate_path(key, &entry, errors));
        let args = given
            .take("args")
            .map(|(key, entry)| Args::read(key, &entry, errors));
        let policies = policy::read(&mut given, errors);
        let paused = given
            .take("paused")
            .and_then(|(key, entry)| paused::read(key, &entry, errors));
        let told = list.lost || !list.bare.is_empty();
        let trigger = trigger::only_one(span, &mut given, told, errors);
        Self {
            span,
            id,
            name,
            krate,
            trigger,
            policies,
            paused,
            args,
            lost: list.lost,
        }
    }
}

/// Tells literals that stand without a key.
pub(super) fn bare_literals(literals: &[Lit], errors: &Errors, advice: impl Fn(&str) -> String) {
    for literal in literals {
        let message = match literal {
            Lit::Str(text) => advice(&text.token().to_string()),
            _ => "write `key = value`".to_owned(),
        };
        errors.on(literal, format!("this value has no key: {message}"));
    }
}

/// `crate = path`, or the path in quotes.
pub(super) fn crate_path(key: &Key, entry: &Entry, errors: &Errors) -> Option<Path> {
    match entry.expression(key, errors)? {
        Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text
            .parse_with(Path::parse_mod_style)
            .map_err(|_| {
                errors.on(
                    text,
                    format!(
                        "`crate` takes the path of the scheduler crate, as in `{}`",
                        key.sample
                    ),
                );
            })
            .ok(),
        other => {
            errors.on(
                other,
                format!(
                    "`crate` takes the path of the scheduler crate, as in `{}`",
                    key.sample
                ),
            );
            None
        }
    }
}
