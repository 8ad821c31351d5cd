//! `#[scheduled_job]`.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, ExprLit, Ident, Lit, Path};

use super::args::Args;
use super::entry::{self, Entry};
use super::job_habits::HABITS;
use super::keys::{Key, Keys};
use super::names::Name;
use super::policy::{self, Policy};
use super::{job_keys, job_type, kind, paused, trigger, unit};
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "`#[scheduled_job]`",
    groups: job_keys::ALL,
    around: &[],
    habits: HABITS,
    triggers: job_keys::TRIGGERS,
    check: Some(accepts),
};

/// The content of a `#[scheduled_job]`.
pub(crate) struct JobAttr {
    /// The attribute's path.
    pub(crate) span: Span,
    pub(crate) id: Option<Name>,
    pub(crate) name: Option<Name>,
    pub(crate) krate: Option<Path>,
    pub(crate) job_type: Option<Ident>,
    /// The trigger's text form; `None` if it could not be parsed.
    pub(crate) trigger: Option<String>,
    pub(crate) policies: Vec<Policy>,
    /// The note of a job that is added paused.
    pub(crate) paused: Option<String>,
    pub(crate) args: Option<Args>,
    /// If `true`, a part was reported as unreadable, so an entry that seems to be missing may have been written.
    pub(crate) lost: bool,
}

impl JobAttr {
    pub(crate) fn read(span: Span, tokens: TokenStream, errors: &Errors) -> Self {
        let mut list = entry::entries(tokens, errors);
        let lost_unit = unit::take(&mut list, errors);
        let has_kind = kind::take(&mut list, errors);
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
        let may_be_lost = list.lost || lost_unit || has_kind || !list.bare.is_empty();
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

/// Returns `true` if a job accepts an entry. A trigger is added unless the entry is one.
pub(super) fn accepts(entry: &str) -> bool {
    let errors = Errors::default();
    let is_trigger = job_keys::TRIGGERS
        .iter()
        .any(|key| entry.starts_with(key.name));
    let beside = if is_trigger {
        ""
    } else {
        "cron = \"* * * * *\", "
    };
    if let Ok(tokens) = format!("{beside}{entry}").parse::<TokenStream>() {
        JobAttr::read(Span::call_site(), tokens, &errors);
        return errors.finish().is_ok();
    }
    errors.finish().is_err()
}

/// Returns `true` if a key of a job, or of a trigger inside it, accepts this text.
pub(super) fn takes_text(key: &str, text: &str) -> bool {
    let entry = format!("{key} = {text:?}");
    [
        entry.clone(),
        format!("cron({entry})"),
        format!("calendar_interval(days = 1, {entry})"),
    ]
    .iter()
    .any(|entry| accepts(entry))
}

/// Reports literals without a key.
pub(super) fn bare_literals(literals: &[Lit], errors: &Errors, advice: impl Fn(&str) -> String) {
    for literal in literals {
        let message = match literal {
            Lit::Str(text) => advice(&text.token().to_string()),
            _ => "each value has one, as in `id = \"cleanup\"`".to_owned(),
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
            "fixed_rate = 5000",
            "hours = 1, minutes = 30",
            "colour = 1",
            "fortnightly",
            "\"interval\", minutes = 5",
        ] {
            assert_eq!(errors(attr), 1, "{attr}");
        }
        for attr in ["tz = \"UTC\"", "retires = 3", "replace_existing = true"] {
            assert_eq!(errors(attr), 2, "{attr}");
        }
    }

    fn messages(attr: &str) -> Vec<String> {
        let errors = Errors::default();
        JobAttr::read(Span::call_site(), attr.parse().unwrap(), &errors);
        let all = errors.finish().err().into_iter().flatten();
        all.map(|error| error.to_string()).collect()
    }

    /// Returns the advice for an attribute: the text between the first backticks after "write".
    fn advice(attr: &str) -> Vec<String> {
        messages(attr)
            .into_iter()
            .map(|message| match message.split_once("write `") {
                Some((_, rest)) => rest.split('`').next().unwrap_or_default().to_owned(),
                None => message,
            })
            .collect()
    }

    #[test]
    fn advice_is_the_schedule_that_was_written() {
        for (attr, expected) in [
            // APScheduler
            ("seconds = 10", r#"interval = "10s""#),
            ("minutes = 30", r#"interval = "30m""#),
            ("hours = 1, minutes = 30", r#"interval = "1h 30m""#),
            ("weeks = 2", r#"interval = "2w""#),
            ("months = 2", "calendar_interval(months = 2)"),
            (r#""interval", minutes = 5"#, r#"interval = "5m""#),
            (
                r#""cron", hour = 6, minute = 30, day_of_week = "mon-fri""#,
                r#"cron(hour = 6, minute = 30, day_of_week = "mon-fri")"#,
            ),
            (
                r#""cron", day_of_week = "0-4", hour = 6"#,
                r#"cron(day_of_week = "mon-fri", hour = 6)"#,
            ),
            (r#""cron", day_of_week = 6"#, r#"cron(day_of_week = "sun")"#),
            (r#"trigger = "interval", hours = 2"#, r#"interval = "2h""#),
            (r#""cron", "0 6 * * *""#, r#"cron = "0 6 * * *""#),
            (
                r#""date", run_date = "2026-12-31T23:59:00Z""#,
                r#"date = "2026-12-31T23:59:00Z""#,
            ),
            (
                r#""date", run_date = "2026-12-31 23:59:00""#,
                r#"date = "2026-12-31 23:59:00Z""#,
            ),
            (
                r#""date", run_date = "2026-12-31 23:59", timezone = "Asia/Tokyo""#,
                r#"date = "2026-12-31 23:59""#,
            ),
            (
                "run_date = datetime(2026, 12, 31, 23, 59)",
                r#"date = "2026-12-31T23:59:00Z""#,
            ),
            (
                r#"hour = 6, minute = 0, day_of_week = "mon-fri""#,
                r#"cron(hour = 6, minute = 0, day_of_week = "mon-fri")"#,
            ),
            // Spring
            ("fixedRate = 5000", r#"interval = "5000ms""#),
            ("fixed_delay = 5_000", r#"interval = "5000ms""#),
            (r#"fixedRateString = "PT5M""#, r#"interval = "5m""#),
            // Celery
            ("schedule = 30.0", r#"interval = "30s""#),
            (
                "schedule = crontab(hour = 7, minute = 30)",
                r#"cron = "30 7 * * *""#,
            ),
            (
                "schedule = crontab(minute = 0, hour = 7, day_of_week = 1)",
                r#"cron = "0 7 * * 1""#,
            ),
            ("crontab(hour = 7)", r#"cron = "* 7 * * *""#),
            ("run_every = 30", r#"interval = "30s""#),
            // Kubernetes, Quartz
            (r#"schedule = "*/5 * * * *""#, r#"cron = "*/5 * * * *""#),
            (
                r#"cronExpression = "0 0 12 * * ?""#,
                r#"cron = "0 0 12 * * ?""#,
            ),
            ("repeatInterval = 1500", r#"interval = "1500ms""#),
            // and others
            (r#"every = "5 minutes""#, r#"interval = "5 minutes""#),
            ("every = 5", r#"interval = "5s""#),
            ("every = 5.minutes()", r#"interval = "5m""#),
            ("every(minutes = 5)", r#"interval = "5m""#),
            ("every(5, minutes)", r#"interval = "5m""#),
            (r#"every = "day", at = "10:30""#, r#"cron = "30 10 * * *""#),
            (
                r#"days = 2, at = "02:30""#,
                r#"calendar_interval(days = 2, time = "02:30")"#,
            ),
            ("daily", r#"cron = "@daily""#),
            (r#"daily = "10:30""#, r#"cron = "30 10 * * *""#),
            (r#"daily(at = "10:30")"#, r#"cron = "30 10 * * *""#),
            (r#"at = "10:30""#, r#"cron = "30 10 * * *""#),
            ("period = Duration::from_secs(90)", r#"interval = "1m 30s""#),
            (
                "interval = Duration::from_secs(90)",
                r#"interval = "1m 30s""#,
            ),
            ("interval = 5 * 60", r#"interval = "300s""#),
            (
                "interval(hours = 1, minutes = 30)",
                r#"interval = "1h 30m""#,
            ),
            (
                r#"interval = "every 5 minutes""#,
                r#"interval = "5 minutes""#,
            ),
            (r#"interval = "0 6 * * *""#, r#"cron = "0 6 * * *""#),
            (r#"cron = "every 5 minutes""#, r#"interval = "5 minutes""#),
            (r#"cron = "5m""#, r#"interval = "5m""#),
            (r#"cron = "10:30""#, r#"cron = "30 10 * * *""#),
            (r#"date = "every 5 minutes""#, r#"interval = "5 minutes""#),
            (r#""every 5 minutes""#, r#"interval = "5 minutes""#),
            (
                "cron = (hour = 6, minute = 30)",
                "cron(hour = 6, minute = 30)",
            ),
        ] {
            assert_eq!(advice(attr), [expected], "{attr}");
        }
    }

    #[test]
    fn advice_about_settings_has_the_value_that_was_written() {
        for (attr, expected) in [
            (r#"tz = "Asia/Tokyo""#, r#"timezone = "Asia/Tokyo""#),
            (r#"zone = "Europe/Paris""#, r#"timezone = "Europe/Paris""#),
            ("timeZone = Tz::Asia__Tokyo", r#"timezone = "Asia/Tokyo""#),
            ("timezone = Tz::Asia__Tokyo", r#"timezone = "Asia/Tokyo""#),
            (
                "startingDeadlineSeconds = 200",
                r#"misfire_grace_time = "200s""#,
            ),
            ("suspend = true", "paused = true"),
            ("enabled = false", "paused = true"),
            (r#"concurrencyPolicy = "Forbid""#, r#"overlap = "skip""#),
            (
                r#"concurrency_policy = "Replace""#,
                r#"overlap = "cancel_running""#,
            ),
            ("expires = 60", r#"misfire_grace_time = "60s""#),
            ("misfire_grace_time = 30", r#"misfire_grace_time = "30s""#),
            ("jitter = 10", r#"jitter = "10s""#),
            ("timeout = Duration::from_secs(60)", r#"timeout = "1m""#),
            ("timeout_secs = 60", r#"timeout = "60s""#),
            ("max_attempts = 5", "retries = 4"),
            ("max_retries = 5", "retries = 5"),
            ("retry = false", "retries = 0"),
            ("retry_delay = 30", r#"backoff = "30s""#),
            (r#"queue = "mail""#, r#"executor = "mail""#),
            (r#"jobstore = "main""#, r#"store = "main""#),
            ("concurrency = 3", "max_instances = 3"),
            ("catchup = false", r#"coalesce = "latest""#),
            ("coalesce = True", r#"coalesce = "latest""#),
            (r#"identity = "x""#, r#"id = "x""#),
            ("startNow = true", "run_on_start = true"),
            (
                r#"kwargs(user = 7, text = "x")"#,
                r#"args(user = 7, text = "x")"#,
            ),
            ("at_most_once = True", "at_most_once = true"),
            ("run_on_start = \"yes\"", "run_on_start = true"),
            ("retries = \"3\"", "retries = 3"),
            ("retries = 3s", "retries = 3"),
        ] {
            let attr = format!("cron = \"0 6 * * *\", {attr}");
            assert_eq!(advice(&attr), [expected], "{attr}");
        }
    }

    #[test]
    fn words_beside_change_what_is_advised() {
        for (attr, expected) in [
            // A unit after the number, or separate from it.
            ("interval = 5m", r#"interval = "5m""#),
            ("interval = 1h", r#"interval = "1h""#),
            ("interval = 5min", r#"interval = "5min""#),
            ("interval = 500ms", r#"interval = "500ms""#),
            (
                "fixedRate = 5, timeUnit = TimeUnit::MINUTES",
                r#"interval = "5m""#,
            ),
            (r#"every = 2, unit = "weeks""#, r#"interval = "2w""#),
            (
                r#"interval(every = 5, unit = "minutes")"#,
                r#"interval = "5m""#,
            ),
            (
                r#"fixedDelay = 10, unit = "seconds""#,
                r#"interval = "10s""#,
            ),
            (r#"interval = 5, unit = "minutes""#, r#"interval = "5m""#),
            // Next to a trigger.
            (r#"interval = "1h", minutes = 30"#, r#"interval = "1h 30m""#),
            (
                r#"interval = "1d", at = "06:30""#,
                r#"calendar_interval(days = 1, time = "06:30")"#,
            ),
            (
                r#"interval = "15m", hours = "9-17""#,
                r#"cron = "*/15 9-17 * * *""#,
            ),
            (
                r#"interval = "15m", day_of_week = "mon-fri""#,
                r#"cron = "*/15 * * * mon-fri""#,
            ),
            (
                r#"date = "2026-12-24", time = "18:00", timezone = "Asia/Tokyo""#,
                r#"date = "2026-12-24T18:00""#,
            ),
            (r#"monday, at = "10:30""#, r#"cron = "30 10 * * mon""#),
        ] {
            assert_eq!(advice(attr), [expected], "{attr}");
        }
    }

    #[test]
    fn several_values_and_words_of_others_are_read() {
        for (attr, expected) in [
            // Lists of triggers.
            (
                r#"any(cron = "0 6 * * *", cron = "0 18 * * *")"#,
                r#"or(cron = "0 6 * * *", cron = "0 18 * * *")"#,
            ),
            (
                r#"all(cron = "0 6 * * *", cron = "* * 1 * *")"#,
                r#"and(cron = "0 6 * * *", cron = "* * 1 * *")"#,
            ),
            (
                r#"and(interval = "2w", cron = "0 6 * * mon")"#,
                r#"interval("2w", start = "…")"#,
            ),
            // Rust ranges.
            ("cron(minute = 0..30)", r#"minute = "0-29""#),
            ("cron(hour = 6..8)", r#"hour = "6-7""#),
            ("cron(hour = 6..=8)", r#"hour = "6-8""#),
            (
                "cron(day_of_week = mon..=fri)",
                r#"day_of_week = "mon-fri""#,
            ),
            (
                "cron(day_of_week = [mon, fri])",
                r#"day_of_week = "mon,fri""#,
            ),
            // A time zone in the text.
            (
                r#"cron = "0 9 * * * Europe/Berlin""#,
                r#"cron = "0 9 * * *", timezone = "Europe/Berlin""#,
            ),
            (
                r#"cron = "CRON_TZ=Europe/Berlin 0 9 * * *""#,
                r#"cron = "0 9 * * *", timezone = "Europe/Berlin""#,
            ),
            (
                r#"cron = "0 6 * * * timezone=Europe/Berlin""#,
                r#"cron = "0 6 * * *", timezone = "Europe/Berlin""#,
            ),
            // Words of other schedulers.
            (r#"OnCalendar = "daily""#, r#"cron = "@daily""#),
            (r#"OnUnitActiveSec = "15min""#, r#"interval = "15min""#),
            (
                r#"schedule_expression = "rate(5 minutes)""#,
                r#"interval = "5 minutes""#,
            ),
            (r#"schedule_interval = "@daily""#, r#"cron = "@daily""#),
            ("everyFiveMinutes", r#"cron = "*/5 * * * *""#),
            (r#"dailyAt = "13:00""#, r#"cron = "0 13 * * *""#),
            (r#"interval = "daily""#, r#"cron = "@daily""#),
            (r#"weekly = "mon""#, r#"cron = "0 0 * * mon""#),
            ("rate(5 minutes)", r#"interval = "5 minutes""#),
            ("cron = every 5 minutes", r#"interval = "5 minutes""#),
            (
                r#"date = "2026-12-24", time = "18:00""#,
                r#"date = "2026-12-24T18:00Z""#,
            ),
            ("every 5 minutes", r#"interval = "5 minutes""#),
            ("daily at 10:30", r#"cron = "30 10 * * *""#),
            ("cron(0 10 * * ? *)", r#"cron = "0 10 * * ?""#),
            (
                r#"cron = "cron(0 12 ? * 2-6 *)""#,
                r#"cron = "0 12 ? * mon-fri""#,
            ),
            ("IntervalTrigger(minutes = 5)", r#"interval = "5m""#),
            (
                r#"CronTrigger(day_of_week = "0-4", hour = 6)"#,
                r#"cron(day_of_week = "mon-fri", hour = 6)"#,
            ),
            // Several triggers of one kind.
            (
                r#"cron("0 6 * * *", "0 18 * * *")"#,
                r#"or(cron = "0 6 * * *", cron = "0 18 * * *")"#,
            ),
            (
                r#"cron = "0 6 * * *", cron = "0 18 * * *""#,
                r#"or(cron = "0 6 * * *", cron = "0 18 * * *")"#,
            ),
            (
                r#"cron = ["0 6 * * *", "0 18 * * *"]"#,
                r#"or(cron = "0 6 * * *", cron = "0 18 * * *")"#,
            ),
        ] {
            assert_eq!(advice(attr), [expected], "{attr}");
        }
        let both = messages(r#"interval = "00:05:00""#).concat();
        assert!(both.contains(r#"`interval = "5m"` for a length"#), "{both}");
        assert!(
            both.contains(r#"`cron = "5 0 * * *"` for the time"#),
            "{both}"
        );
    }

    #[test]
    fn advice_is_not_given_where_it_would_be_another_schedule() {
        for attr in [
            r#"date = "+5m""#,
            r#"cron = "0 6 * * *", day_of_week = "mon""#,
            r#"interval = "5m", every = "1h""#,
            r#"fixedRate = 5, timeUnit = "fortnights""#,
            r#"interval = 5, unit = "fortnights""#,
            r#"every = "00:05""#,
            r#"interval = "5m", tz = "Asia/Tokyo""#,
            r#"cron = "0 6 * * *", paused = """#,
            "interval = 0",
            "interval = soon",
            "cron(minute = 6..6)",
            r#"interval(minutes = 5, first_run = "now")"#,
            "cron = \"0 6 * * *\", backoff = exponential(base = 2, max = 60)",
            "cron = \"0 6 * * *\", timeout = 0",
            "cron = \"0 6 * * *\", misfire_grace_time = 0",
            "cron = \"0 6 * * *\", singleton = true",
            "cron = \"0 6 * * *\", at_least_once = true",
            "cron = \"0 6 * * *\", if = \"prod\"",
            "interval = \"5m\", when = is_prod()",
            "cron = \"0 6 * * *\", on_error = retry",
        ] {
            let all = messages(attr);
            assert_eq!(all.len(), 1, "{attr}: {all:#?}");
            for wrong in [
                "write `interval",
                "write `cron",
                "did you mean",
                "remove one",
                "\"0s\"",
            ] {
                assert!(!all[0].contains(wrong), "{attr}: {all:#?}");
            }
        }
        let said = advice(r#"happily, at = "10:30""#);
        assert!(
            said.iter().all(|said| !said.starts_with("cron")),
            "{said:?}"
        );
    }

    #[test]
    fn advice_about_policies_keeps_their_meaning() {
        for (attr, expected) in [
            ("timeout = 5m", r#"timeout = "5m""#),
            (r#"backoff = "10s-1m""#, r#"backoff = "10s..1m""#),
            (r#"backoff = "1s - 1m""#, r#"backoff = "1s..1m""#),
            (r#"backoff = "1s...1m""#, r#"backoff = "1s..1m""#),
            ("backoff = 1..60", r#"backoff = "1s..60s""#),
            (r#"timeout = "never""#, r#"timeout = "none""#),
            (
                r#"misfire_grace_time = "infinite""#,
                r#"misfire_grace_time = "none""#,
            ),
            (r#"timeout = "-1""#, r#"timeout = "none""#),
            (r#"jitter = "none""#, r#"jitter = "0s""#),
            (r#"concurrencyPolicy = "Allow""#, "max_instances = 2"),
            (r#"concurrency = "forbid""#, r#"overlap = "skip""#),
            (r#"overlap = "forbid""#, r#"overlap = "skip""#),
            (r#"overlap = "allow""#, "max_instances = 2"),
            ("singleton = false", "max_instances = 2"),
            ("without_overlapping = false", "max_instances = 2"),
            ("at_least_once = false", "at_most_once = true"),
        ] {
            let said = messages(&format!("cron = \"0 6 * * *\", {attr}"));
            assert_eq!(said.len(), 1, "{attr}: {said:?}");
            assert!(
                said[0].contains(&format!("`{expected}`")),
                "{attr}: {said:?}"
            );
        }
    }

    #[test]
    fn no_advice_is_made_up_for_a_value_that_is_not_known() {
        for attr in [
            "seconds = EVERY",
            "tz = ZONE",
            "every = \"now and then\"",
            "hours = 0",
            "interval = EVERY",
            "cron = CRON",
            "\"cron\", hour = HOUR",
            "cron = \"0 6 * * *\", timeout_secs = LIMIT",
            "cron = \"0 6 * * *\", seconds = 5",
        ] {
            let said = advice(attr);
            assert_eq!(
                said.len(),
                if attr == "tz = ZONE" { 2 } else { 1 },
                "{attr}: {said:?}"
            );
            assert!(
                said[0].contains(' ') && !said[0].starts_with("interval = "),
                "{attr}: {said:?}"
            );
        }
    }

    #[test]
    fn the_list_of_keys_is_printed_once() {
        let errors = Errors::default();
        let attr = "colour = 1, shape = 2, retires = 3";
        JobAttr::read(Span::call_site(), attr.parse().unwrap(), &errors);
        let all: Vec<String> = errors
            .finish()
            .err()
            .into_iter()
            .flatten()
            .map(|error| error.to_string())
            .collect();
        let lists = |message: &&String| message.contains("keys are");
        assert_eq!(all.iter().filter(lists).count(), 1, "{all:#?}");
        assert!(all[0].contains("keys are"), "{all:#?}");
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

    /// `tests/tests/policy_texts.rs` checks the same table for `scheduler-core`.
    #[test]
    fn the_table_of_policies_holds_for_the_attribute() {
        let mut wrong = Vec::new();
        let lines = include_str!("policies.txt").lines();
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
