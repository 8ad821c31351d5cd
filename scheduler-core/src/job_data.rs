//! Jobs as data: the object that `POST api/jobs` takes, in any self-describing format.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::fields::{FieldErrors, FieldProblem, Fields};
use crate::id::name_problem;
use crate::job::Job;

impl Job {
    /// Creates a job from an object with the fields listed in [As data](Job#as-data).
    ///
    /// This is the same as reading it with serde, except that the errors are data.
    ///
    /// # Errors
    /// Returns every invalid field. [`add_job`](crate::Scheduler::add_job) checks that the task exists and accepts
    /// these arguments.
    ///
    /// ```
    /// use scheduler_core::Job;
    ///
    /// let json = r#"{"id": "hourly", "task": "send_report", "trigger": "every 1h"}"#;
    /// let job = Job::from_json(serde_json::from_str(json)?)?;
    /// assert_eq!((job.get_id(), job.get_task()), (Some("hourly"), "send_report"));
    ///
    /// let json = r#"{"id": "", "task": "send_report", "trigger": "evry 1h"}"#;
    /// let errors = Job::from_json(serde_json::from_str(json)?).unwrap_err();
    /// let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    /// assert_eq!(fields, ["id", "trigger"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_json(object: Map<String, Value>) -> Result<Self, FieldErrors> {
        Self::from_fields(Fields::new(object))
    }

    /// Creates a job from fields, which may already contain errors.
    ///
    /// # Errors
    /// Returns the errors already in the fields, followed by those of [`from_json`](Self::from_json).
    ///
    /// ```
    /// use scheduler_core::{FieldProblem, Fields, Job};
    ///
    /// let json = r#"{"task": "send_report", "trigger": "evry 1h"}"#;
    /// let mut fields: Fields = serde_json::from_str(json)?;
    /// if fields.get("id").is_none() {
    ///     fields.missing("id", "jobs of this service need one");
    /// }
    /// assert_eq!(Job::from_fields(fields).unwrap_err().iter().count(), 2);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn from_fields(mut fields: Fields) -> Result<Self, FieldErrors> {
        let id = fields.text("id", Fields::MAX_NAME);
        if let Some(problem) = id.as_deref().and_then(name_problem) {
            fields.refuse("id", FieldProblem::invalid(problem));
        }
        let task = fields.text("task", Fields::MAX_NAME);
        if task.is_none() {
            fields.missing("task", "name a task of this program");
        }
        let arguments = fields.arguments();
        let trigger = fields.trigger();
        if trigger.is_none() {
            fields.missing("trigger", "say when to run, such as `every 5m`");
        }
        let policies = fields.policies();
        let paused = fields.text("paused", Fields::MAX_NOTE);
        fields.finish()?;

        let mut job = Self::new(task.unwrap_or_default());
        job.trigger = trigger.map(Ok);
        job.arguments = arguments.unwrap_or_default();
        job.id = id.map(Into::into);
        job.paused = paused.map(Into::into);
        Ok(match policies {
            Some(policies) => job.policies(policies),
            None => job,
        })
    }

    /// Returns the object that [`from_json`](Self::from_json) reads, or the reason why there is none.
    fn to_json(&self) -> Result<Map<String, Value>, String> {
        if let Some(error) = &self.argument_error {
            return Err(error.problem.clone());
        }
        let trigger = self.get_trigger().map_err(|error| error.to_string())?;
        let trigger = serde_json::to_value(trigger).map_err(|error| error.to_string())?;
        let mut object = Map::new();
        if let Some(id) = self.get_id() {
            object.insert("id".to_owned(), id.into());
        }
        object.insert("task".to_owned(), self.get_task().into());
        if !self.arguments.is_empty() {
            let arguments = self.arguments.iter();
            let arguments = arguments.map(|(name, value)| (name.to_owned(), value.clone()));
            object.insert("arguments".to_owned(), arguments.collect());
        }
        object.insert("trigger".to_owned(), trigger);
        if let Some(policies) = &self.policies {
            let policies = serde_json::to_value(policies).map_err(|error| error.to_string())?;
            object.insert("policies".to_owned(), policies);
        }
        if let Some(note) = &self.paused {
            object.insert("paused".to_owned(), (**note).into());
        }
        Ok(object)
    }
}

/// Reads [the object](Job#as-data) from any self-describing format. The error names each invalid field.
impl<'de> Deserialize<'de> for Job {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_fields(Fields::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Writes [the object](Job#as-data). Fails if it could not be read back.
impl Serialize for Job {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = self.to_json().map_err(S::Error::custom)?;
        // The builder accepts some values that are refused only when the job is added.
        let _: Self = Self::from_json(object.clone()).map_err(S::Error::custom)?;
        object.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use scheduler_triggers::{CustomTrigger, Fold, Gap, Trigger, Tz};
    use serde_json::json;

    use super::*;
    use crate::policy::{Backoff, Overlap};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn wrong(value: Value) -> Vec<(String, String)> {
        let errors = Job::from_json(object(value)).unwrap_err();
        let errors = errors.into_iter();
        errors
            .map(|error| (error.field.clone(), error.problem.to_string()))
            .collect()
    }

    /// Returns the serialized job, after reading and writing it once more.
    fn written(job: &Job) -> Value {
        let value = serde_json::to_value(job).unwrap();
        let read: Job = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(read.get_id(), job.get_id());
        assert_eq!(read.get_task(), job.get_task());
        assert_eq!(read.get_arguments(), job.get_arguments());
        assert_eq!(read.get_trigger().unwrap(), job.get_trigger().unwrap());
        assert_eq!(
            read.policies.unwrap_or_default(),
            job.policies.clone().unwrap_or_default()
        );
        assert_eq!(read.paused, job.paused);
        let text = serde_json::to_string(job).unwrap();
        let again: Job = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(again).unwrap(), value);
        value
    }

    #[test]
    fn job_created_in_code_round_trips() {
        let job = Job::new("send_report")
            .id("report-berlin")
            .argument("city", "Berlin")
            .argument("limits", [u64::MAX, 0])
            .argument("least", i64::MIN)
            .cron("30 2 * * mon-fri")
            .timezone(Tz::Europe__Berlin)
            .start("2026-01-01T00:00:00")
            .end("2026-12-31T23:59:59")
            .gap(Gap::Skip)
            .fold(Fold::Both)
            .misfire_grace_time("1h")
            .coalesce("all(20)")
            .max_instances(2)
            .overlap(Overlap::Queue(3))
            .timeout(Duration::from_secs(90))
            .retries(3)
            .backoff(Backoff::constant(Duration::from_secs(5)))
            .jitter("30s")
            .at_most_once(false)
            .executor("reports")
            .store("ledger")
            .run_on_start(true)
            .paused("not approved yet");
        let expected = json!({
            "id": "report-berlin",
            "task": "send_report",
            "arguments": {"city": "Berlin", "limits": [u64::MAX, 0], "least": i64::MIN},
            "trigger": {
                "type": "cron", "expr": "30 2 * * mon-fri", "timezone": "Europe/Berlin",
                "start": "2026-01-01T00:00:00", "end": "2026-12-31T23:59:59", "gap": "skip", "fold": "both",
            },
            "policies": {
                "misfire_grace_time": "1h", "coalesce": "all(20)", "max_instances": 2, "overlap": "queue(3)",
                "timeout": "1m 30s", "retries": 3, "backoff": "5s", "jitter": "30s", "at_most_once": false,
                "executor": "reports", "store": "ledger", "run_on_start": true,
            },
            "paused": "not approved yet",
        });
        assert_eq!(written(&job), expected);
    }

    #[test]
    fn absent_parts_stay_absent() {
        let job = Job::new("tick").interval("5m");
        let expected = json!({"task": "tick", "trigger": {"type": "interval", "every": "5m"}});
        assert_eq!(written(&job), expected);
        for trigger in [
            "at now",
            "at 2026-12-31T23:59:00Z",
            "calendar months=1 time=02:30",
            "cron hour=6",
            "and(cron 0 6 * * *; or(cron hour=6; cron hour=7))",
        ] {
            written(&Job::new("tick").trigger(trigger.parse().unwrap()));
        }
    }

    #[test]
    fn null_counts_as_absent() {
        let job = Job::from_json(object(json!({
            "id": null, "task": "tick", "arguments": null, "trigger": "5m", "timezone": null,
            "policies": {"timeout": null, "retries": 1}, "paused": null,
        })));
        let expected = json!({
            "task": "tick", "trigger": {"type": "interval", "every": "5m"}, "policies": {"retries": 1},
        });
        assert_eq!(written(&job.unwrap()), expected);
        let fields = wrong(json!({"task": null, "trigger": null}));
        let fields: Vec<&str> = fields.iter().map(|(field, _)| &**field).collect();
        assert_eq!(fields, ["task", "trigger"]);
    }

    #[test]
    fn toml_is_read_and_written() {
        let text = r#"
            id = "report-berlin"
            task = "send_report"
            arguments = { city = "Berlin", since = 2026-01-01 }
            timezone = "Europe/Berlin"

            [trigger]
            type = "date"
            at = 2026-12-31T23:59:00Z

            [policies]
            retries = 3
        "#;
        let refused = toml::from_str::<Job>(text).unwrap_err().to_string();
        assert!(
            refused.contains("`timezone`: ") && refused.contains("write it there"),
            "{refused}"
        );
        let job: Job = toml::from_str(&text.replace("timezone", "# timezone")).unwrap();
        let again: Job = toml::from_str(&toml::to_string(&job).unwrap()).unwrap();
        assert_eq!(written(&again), written(&job));
        assert_eq!(
            job.get_arguments().to_string(),
            r#"{"city":"Berlin","since":"2026-01-01"}"#
        );
        assert_eq!(
            job.get_trigger().unwrap().to_string(),
            "at 2026-12-31T23:59:00Z"
        );
    }

    /// Checks that a field with this value has a single error, for this field and containing this part.
    fn assert_named<const N: usize>(cases: [(&str, Value, &str, &str); N]) {
        for (key, value, field, part) in cases {
            let mut written = json!({"task": "tick", "trigger": "every 5m"});
            written[key] = value.clone();
            let wrong = wrong(written);
            assert_eq!(wrong.len(), 1, "{key}: {wrong:?}");
            assert_eq!(wrong[0].0, field, "{key}: {value}");
            assert!(wrong[0].1.contains(part), "{key}: {wrong:?}");
        }
    }

    #[test]
    fn mistakes_in_fields_are_named() {
        assert_named([
            ("id", json!(""), "id", "empty"),
            ("id", json!(5), "id", "has to be text, not a number"),
            ("id", json!("x".repeat(256)), "id", "at most 255"),
            ("id", json!("a\nb"), "id", "printed"),
            ("id", json!("a\u{0}b"), "id", "NUL"),
            ("task", json!(null), "task", "missing"),
            ("task", json!(["tick"]), "task", "a list"),
            ("arguments", json!([]), "arguments", "an object"),
            ("paused", json!(true), "paused", "not true or false"),
            ("paused", json!("x".repeat(1_001)), "paused", "at most 1000"),
            ("pause", json!("x"), "pause", "did you mean `paused`?"),
            (
                "replace_existing",
                json!(true),
                "replace_existing",
                "no such field",
            ),
        ]);
    }

    #[test]
    fn mistakes_in_triggers_are_named() {
        assert_named([
            ("trigger", json!(null), "trigger", "missing"),
            ("trigger", json!(5), "trigger", "text such as"),
            ("trigger", json!("evry 5m"), "trigger", "every"),
            (
                "trigger",
                json!({"type": "corn"}),
                "trigger",
                "did you mean `cron`",
            ),
            (
                "trigger",
                json!({"type": "cron", "expr": "@daily", "hour": 6}),
                "trigger",
                "both",
            ),
            (
                "trigger",
                json!({"type": "cron", "expr": "@daily", "every": "5m"}),
                "trigger",
                "every",
            ),
            ("cron", json!("@daily"), "cron", "did you mean `trigger`?"),
            (
                "timezone",
                json!("Europe/Berln"),
                "timezone",
                "Europe/Berlin",
            ),
        ]);
    }

    #[test]
    fn mistakes_in_policies_are_named() {
        assert_named([
            (
                "policies",
                json!({"max_instances": 0}),
                "policies.max_instances",
                "1 or more",
            ),
            (
                "policies",
                json!({"retries": -1}),
                "policies.retries",
                "u32",
            ),
            (
                "policies",
                json!({"timeot": "5m"}),
                "policies.timeot",
                "did you mean `timeout`?",
            ),
            (
                "retries",
                json!(3),
                "retries",
                "did you mean `policies.retries`?",
            ),
        ]);
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let json = r#"{
            "id": "", "task": 1, "task": 2, "arguments": 1, "trigger": "x y z", "timezone": "Nowhere",
            "policies": {"retries": "many", "nope": 1, "timeout": "0s"}, "paused": 1, "extra": 1
        }"#;
        let text = serde_json::from_str::<Job>(json).unwrap_err().to_string();
        for field in [
            "id",
            "task",
            "arguments",
            "trigger",
            "timezone",
            "policies.retries",
            "policies.nope",
            "policies.timeout",
            "paused",
            "extra",
        ] {
            assert!(
                text.contains(&format!("  - `{field}`: ")),
                "{field}: {text}"
            );
        }
        assert!(text.starts_with("11 fields cannot be taken:"), "{text}");
        let list = serde_json::from_str::<Vec<Job>>(r#"["tick"]"#)
            .unwrap_err()
            .to_string();
        assert!(
            list.starts_with("it has to be an object, not text"),
            "{list}"
        );
    }

    #[derive(Debug)]
    struct Never;

    impl CustomTrigger for Never {
        fn next_after(&self, _: DateTime<Utc>) -> Option<DateTime<Utc>> {
            None
        }
    }

    #[test]
    fn job_that_could_not_be_read_back_is_refused() {
        struct Unwritable;
        impl Serialize for Unwritable {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(S::Error::custom("no form"))
            }
        }
        let job = || Job::new("tick").interval("5m");
        for (job, part) in [
            (Job::new("tick"), "no trigger"),
            (job().cron("0 25 * * *"), "hour"),
            (job().timezone("Nowhere"), "Nowhere"),
            (job().argument("x", Unwritable), "`x`"),
            (job().id(""), "`id`: it is empty"),
            (job().timeout("soon"), "soon"),
            (job().max_instances(0), "`policies.max_instances`"),
            (job().paused("x".repeat(1_001)), "`paused`"),
            (job().trigger(Trigger::custom(Never)), "custom trigger"),
        ] {
            let refused = serde_json::to_string(&job).unwrap_err().to_string();
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }
}
