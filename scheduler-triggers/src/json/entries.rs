//! From the keys and values of a map to a trigger.

use crate::cron::keyword::CronFields;
use crate::error::TriggerError;
use crate::cron::field::Field;
use crate::json::Value;
use crate::suggest;
use crate::trigger::Trigger;

const TYPES: [&str; 6] = ["interval", "cron", "calendar_interval", "date", "and", "or"];

/// The entries of a map, in any order.
#[derive(Debug, Default)]
pub(crate) struct Entries(Vec<(String, Value)>);

impl Entries {
    /// Adds an entry; `null` is as good as none.
    pub(crate) fn add(&mut self, key: String, value: Value) -> Result<(), TriggerError> {
        let name = plain(&key);
        if self.0.iter().any(|(known, _)| plain(known) == name) {
            return Err(TriggerError::new(format!("`{key}` is given twice")));
        }
        if !matches!(value, Value::Nothing) {
            self.0.push((key, value));
        }
        Ok(())
    }

    pub(crate) fn build(mut self) -> Result<Trigger, TriggerError> {
        let Some(kind) = self.take_text("type")? else {
            return Err(TriggerError::new("`type` is missing")
                .allow(TYPES.join(", "))
                .write("\"type\": \"cron\""));
        };
        let trigger = match kind.as_str() {
            "interval" => match self.take_text("every")? {
                Some(every) => Trigger::every(&every)?,
                None => return Err(self.missing("every", "interval")),
            },
            "cron" => self.cron()?,
            "calendar_interval" => self.calendar()?,
            "date" => match self.take_text("at")? {
                Some(at) => Trigger::at(&at)?,
                None => Trigger::now(),
            },
            "and" => Trigger::and(self.children(&kind)?)?,
            "or" => Trigger::or(self.children(&kind)?)?,
            "custom" => {
                return Err(TriggerError::new(
                    "a custom trigger is known only to the program that made it",
                ));
            }
            _ => {
                return Err(TriggerError::new(format!("`{kind}` is no type of trigger"))
                    .in_field("type")
                    .allow(TYPES.join(", "))
                    .meant(suggest::nearest(&kind, TYPES)));
            }
        };
        self.options(trigger, &kind)
    }

    fn cron(&mut self) -> Result<Trigger, TriggerError> {
        let mut fields = CronFields::default();
        let mut first = None;
        for field in Field::ALL {
            if let Some(text) = self.take_text(field.name())? {
                first.get_or_insert(field);
                fields = fields.set(field, text);
            }
        }
        match (self.take_text("expr")?, first) {
            (Some(_), Some(field)) => Err(TriggerError::new(format!(
                "both `expr` and `{}` are given; a cron trigger is one expression or fields",
                field.name()
            ))
            .in_field(field.name())),
            (Some(expr), None) => Trigger::cron(&expr),
            (None, Some(_)) => fields.build(),
            (None, None) => Err(self.unknown("cron").unwrap_or_else(|| {
                TriggerError::new("a cron trigger needs `expr` or at least one field")
                    .write("\"expr\": \"0 6 * * *\"")
            })),
        }
    }

    fn calendar(&mut self) -> Result<Trigger, TriggerError> {
        let mut builder = Trigger::calendar_interval();
        for key in ["years", "months", "weeks", "days"] {
            let Some(text) = self.take_text(key)? else {
                continue;
            };
            let count = text.parse().map_err(|_| {
                TriggerError::new(format!("`{text}` is no number of {key}"))
                    .in_field(key)
                    .write(format!("\"{key}\": 1"))
            })?;
            builder = match key {
                "years" => builder.years(count),
                "months" => builder.months(count),
                "weeks" => builder.weeks(count),
                _ => builder.days(count),
            };
        }
        builder.build()
    }

    fn children(&mut self, kind: &str) -> Result<Vec<Trigger>, TriggerError> {
        match self.take("triggers") {
            Some(Value::Triggers(children)) => Ok(children),
            Some(_) => {
                Err(TriggerError::new("`triggers` is not a list of triggers").in_field("triggers"))
            }
            None => Err(self.missing("triggers", kind)),
        }
    }

    /// What is left is options; the zone last, since an interval takes one only for its bounds.
    fn options(mut self, mut trigger: Trigger, kind: &str) -> Result<Trigger, TriggerError> {
        self.0.sort_by_key(|(key, _)| key == "timezone");
        if let Some(error) = self.unknown(kind) {
            return Err(error);
        }
        for (key, value) in self.0 {
            let Value::Text(text) = value else {
                return Err(not_text(&key));
            };
            trigger = trigger.with(&key, &text)?;
        }
        Ok(trigger)
    }

    /// The first key that a trigger of this type does not know.
    fn unknown(&self, kind: &str) -> Option<TriggerError> {
        let keys = keys(kind);
        let known = |key: &str| keys.contains(&key) || keys.contains(&plain(key));
        let (key, _) = self
            .0
            .iter()
            .find(|(key, _)| !known(key) && !is_option(key))?;
        Some(suggest::among(
            format!("`{key}` is no field of a trigger of type {kind}"),
            key,
            keys.iter().copied(),
        ))
    }

    /// A key that is needed is not there; perhaps it was misspelt.
    fn missing(&self, key: &'static str, kind: &str) -> TriggerError {
        self.unknown(kind)
            .unwrap_or_else(|| TriggerError::new(format!("`{key}` is missing")).in_field(key))
    }

    fn take_text(&mut self, key: &'static str) -> Result<Option<String>, TriggerError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(not_text(key)),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let index = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.swap_remove(index).1)
    }
}

fn not_text(key: &str) -> TriggerError {
    TriggerError::new(format!("`{key}` takes a text or a whole number"))
}

/// `start_date` is another name of `start`.
fn plain(key: &str) -> &str {
    match key {
        "start_date" => "start",
        "end_date" => "end",
        _ => key,
    }
}

/// Options that a type may lack get an error of their own, which says why.
fn is_option(key: &str) -> bool {
    matches!(
        plain(key),
        "timezone" | "start" | "end" | "gap" | "fold" | "time"
    )
}

fn keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "interval" => &["type", "every", "start", "end", "timezone"],
        "cron" => &[
            "type",
            "expr",
            "year",
            "month",
            "day",
            "week",
            "day_of_week",
            "hour",
            "minute",
            "second",
            "timezone",
            "start",
            "end",
            "gap",
            "fold",
        ],
        "calendar_interval" => &[
            "type",
            "years",
            "months",
            "weeks",
            "days",
            "time",
            "timezone",
            "start_date",
            "end_date",
            "gap",
            "fold",
        ],
        "date" => &["type", "at", "timezone"],
        _ => &["type", "triggers"],
    }
}
