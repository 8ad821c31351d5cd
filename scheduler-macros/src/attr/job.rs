//! `#[scheduled_job]`.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, ExprLit, Ident, Lit, Path};

use super::args::Args;
use super::entry::{self, Entry};
use super::keys::{Habit, Key, Keys};
use super::names::Name;
use super::policy::{self, Policy};
use super::{job_keys, job_type, paused, trigger};
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "`#[scheduled_job]`",
    groups: job_keys::ALL,
    around: &[],
    habits: &[
        Habit::of("every", "interval", "write `interval = \"5m\"`"),
        Habit::of("seconds", "interval", "write `interval = \"30s\"`"),
        Habit::of("minutes", "interval", "write `interval = \"5m\"`"),
        Habit::of("hours", "interval", "write `interval = \"1h\"`"),
        Habit::of(
            "days",
            "interval",
            "write `interval = \"1d\"`, or `calendar_interval(days = 1, time = \"02:30\")`",
        ),
        Habit::of(
            "weeks",
            "interval",
            "write `interval = \"1w\"`, or `calendar_interval(weeks = 1, time = \"02:30\")`",
        ),
        Habit::of(
            "months",
            "calendar_interval",
            "write `calendar_interval(months = 1, time = \"02:30\")`",
        ),
        Habit::of(
            "second",
            "cron",
            "cron fields stand inside: write `cron(second = 30)`",
        ),
        Habit::of(
            "minute",
            "cron",
            "cron fields stand inside: write `cron(minute = 30)`",
        ),
        Habit::of(
            "hour",
            "cron",
            "cron fields stand inside: write `cron(hour = 6, minute = 0)`",
        ),
        Habit::of(
            "day",
            "cron",
            "cron fields stand inside: write `cron(day = 1, hour = 6)`",
        ),
        Habit::of(
            "day_of_week",
            "cron",
            "cron fields stand inside: write `cron(day_of_week = \"mon-fri\", hour = 6)`",
        ),
        Habit::of(
            "month",
            "cron",
            "cron fields stand inside: write `cron(month = \"jan\", day = 1)`",
        ),
        Habit::of("schedule", "cron", "write `cron = \"0 6 * * *\"`"),
        Habit::of(
            "trigger",
            "cron",
            "the trigger's kind is the key: write `cron = \"0 6 * * *\"` or `interval = \"5m\"`",
        ),
        Habit::of("at", "date", "write `date = \"2026-12-31T23:59:00Z\"`"),
        Habit::of(
            "run_date",
            "date",
            "write `date = \"2026-12-31T23:59:00Z\"`",
        ),
        Habit::of("tz", "timezone", "write `timezone = \"Europe/Berlin\"`"),
        Habit::of("kwargs", "args", "write `args(user_id = 42)`"),
        Habit::of("arguments", "args", "write `args(user_id = 42)`"),
        Habit::of("max_retries", "retries", "write `retries = 3`"),
        Habit::of("retry", "retries", "write `retries = 3`"),
        Habit::of("jobstore", "store", "write `store = \"default\"`"),
        Habit::other(
            "replace_existing",
            "jobs written in the code replace their earlier definition by themselves: leave it out",
        ),
        Habit::of(
            "next_run_time",
            "run_on_start",
            "write `run_on_start = true` for a run when the process starts",
        ),
    ],
};

/// What a `#[scheduled_job]` says.
pub(crate) struct JobAttr {
    /// The attribute's path.
    pub(crate) span: Span,
    pub(crate) id: Option<Name>,
    pub(crate) name: Option<Name>,
    pub(crate) krate: Option<Path>,
    pub(crate) job_type: Option<Ident>,
    /// The trigger's text form; `None` when it could not be read.
    pub(crate) trigger: Option<String>,
    pub(crate) policies: Vec<Policy>,
    /// The note of a job that is added paused.
    pub(crate) paused: Option<String>,
    pub(crate) args: Option<Args>,
    /// Whether something could not be read, and was reported: what seems to be missing may be there.
    pub(crate) lost: bool,
}

impl JobAttr {
    pub(crate) fn read(span: Span, tokens: TokenStream, errors: &Errors) -> Self {
        let list = entry::entries(tokens, errors);
        bare_literals(&list.bare, errors, trigger::guess);
        let mut given = KEYS.sort(list.keyed, errors);
        let mut name = |key: &str| {
            let (key, entry) = given.take(key)?;
            Name::read(key, &entry, errors)
        };
        let (id, name) = (name("id"), name("name"));
        let krate = given
            .take("crate")
            .and_then(|(key, entry)| crate_path(key, &entry, errors));
        let job_type = given
            .take("job_type")
            .and_then(|(key, entry)| job_type::read(key, &entry, errors));
        let args = given
            .take("args")
            .map(|(key, entry)| Args::read(key, &entry, errors));
        let policies = policy::read(&mut given, errors);
        let paused = given
            .take("paused")
            .and_then(|(key, entry)| paused::read(key, &entry, errors));
        let may_be_lost = list.lost || !list.bare.is_empty();
        let trigger = trigger::only_one(span, &mut given, may_be_lost, errors);
        Self {
            span,
            id,
            name,
            krate,
            job_type,
            trigger,
            policies,
            paused,
            args,
            lost: list.lost,
        }
    }
}

/// Reports literals that stand without a key.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(attr: &str) -> Result<String, String> {
        let errors = Errors::default();
        let job = JobAttr::read(Span::call_site(), attr.parse().unwrap(), &errors);
        match errors.finish() {
            Ok(()) => Ok(job.trigger.unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn errors(attr: &str) -> usize {
        let errors = Errors::default();
        JobAttr::read(Span::call_site(), attr.parse().unwrap(), &errors);
        errors.finish().err().into_iter().flatten().count()
    }

    #[test]
    fn habits_name_the_keys_that_they_advise() {
        KEYS.check_habits();
    }

    #[test]
    fn a_word_that_stands_for_a_trigger_is_not_a_missing_trigger_too() {
        for attr in [
            "hour = 6",
            "every = \"5m\"",
            "schedule = \"@daily\"",
            "inerval = \"5m\"",
        ] {
            assert_eq!(errors(attr), 1, "{attr}");
        }
        for attr in [
            "tz = \"UTC\"",
            "retires = 3",
            "replace_existing = true",
            "colour = 1",
        ] {
            assert_eq!(errors(attr), 2, "{attr}");
        }
    }

    #[test]
    fn bounds_of_a_zone_are_not_compared_with_instants_while_its_offset_is_unknown() {
        for attr in [
            r#"cron = "@hourly", timezone = "Asia/Shanghai", start = "2026-01-01T08:00:00", end = "2026-01-01T01:00:00Z""#,
            r#"interval = "5m", timezone = "America/New_York", start = "2026-01-01T08:00:00Z", end = "2026-01-01T04:00:00""#,
        ] {
            assert!(trigger(attr).is_ok(), "{attr}: {:?}", trigger(attr));
        }
    }

    #[test]
    fn trigger_options_stand_inside_or_beside() {
        let beside = trigger(r#"cron = "0 6 * * *", timezone = "UTC", gap = "skip""#);
        let inside = trigger(r#"cron("0 6 * * *", timezone = "UTC", gap = "skip")"#);
        let mixed = trigger(r#"cron("0 6 * * *", gap = "skip"), timezone = "UTC""#);
        assert!(beside.is_ok(), "{beside:?}");
        assert_eq!(beside, inside);
        assert_eq!(beside, mixed);
    }

    #[test]
    fn triggers_nest() {
        let text = trigger(
            r#"and(or(cron = "0 6 * * *", cron = "0 7 * * *"), calendar_interval(days = 2, start_date = "2026-01-01"))"#,
        );
        assert!(
            text.as_ref().is_ok_and(|text| text.starts_with("and(or(")),
            "{text:?}"
        );
    }

    /// `tests/tests/policy_texts.rs` checks the same table on the side of `scheduler-core`.
    #[test]
    fn the_table_of_policies_holds_for_the_attribute() {
        let mut wrong = Vec::new();
        let lines = include_str!("../../../tests/cases/policies.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (key, rest) = line.split_once('\t').unwrap();
            let (verdict, value) = rest.split_once('\t').unwrap();
            let taken = errors(&format!("interval = \"5m\", {key} = {value}")) == 0;
            if taken != (verdict == "yes") {
                wrong.push(line);
            }
        }
        assert!(
            wrong.is_empty(),
            "taken or refused against the table: {wrong:#?}"
        );
    }
}
