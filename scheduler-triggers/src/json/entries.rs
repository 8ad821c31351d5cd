//! Building a trigger from the keys and values of a map.

use crate::error::TriggerError;
use crate::json::Value;
use crate::kind::{Build, Fields, KindSpec};
use crate::kinds::KINDS;
use crate::kinds::custom::unreadable;
use crate::options;
use crate::suggest;
use crate::trigger::Trigger;

/// The entries of a map, in any order.
#[derive(Debug, Default)]
pub(crate) struct Entries(Vec<(String, Value)>);

impl Entries {
    /// Adds an entry; `null` counts as absent.
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
        let kind = self.kind()?;
        if let Some(error) = self.unknown(kind) {
            return Err(error);
        }
        let trigger = match kind.build {
            Build::Triggers(build) => build(self.children()?)?,
            Build::Fields(build) => {
                let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0)
                    .into_iter()
                    .partition(|(key, _)| kind.fields.contains(&key.as_str()));
                self.0 = others;
                let mut fields = Fields::default();
                for (key, value) in &own {
                    fields.add(key, text(key, value)?);
                }
                build(&fields).map_err(|error| advised(&fields).unwrap_or(error))?
            }
        };
        self.with_options(trigger)
    }

    fn kind(&mut self) -> Result<&'static KindSpec, TriggerError> {
        let names = || KINDS.iter().map(|kind| kind.name);
        let allowed = || names().collect::<Vec<_>>().join(", ");
        let Some(value) = self.take("type") else {
            return Err(TriggerError::new("`type` is missing")
                .allow(allowed())
                .example("\"type\": \"cron\""));
        };
        let name = text("type", &value)?;
        if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
            return Ok(kind);
        }
        Err(match name {
            "custom" => unreadable(),
            _ => TriggerError::new(format!("`{name}` is not a type of trigger"))
                .in_field("type")
                .allow(allowed())
                .meant(suggest::only_nearest(name, names())),
        })
    }

    fn children(&mut self) -> Result<Vec<Trigger>, TriggerError> {
        match self.take("triggers") {
            Some(Value::Triggers(children)) => Ok(children),
            Some(_) => {
                Err(TriggerError::new("`triggers` is not a list of triggers").in_field("triggers"))
            }
            None => Err(TriggerError::new("`triggers` is missing").in_field("triggers")),
        }
    }

    /// Applies the remaining entries as options; the zone last, since an interval takes one only for its bounds.
    fn with_options(mut self, mut trigger: Trigger) -> Result<Trigger, TriggerError> {
        self.0.sort_by_key(|(key, _)| key == "timezone");
        for (key, value) in self.0 {
            trigger = trigger.with(&key, text(&key, &value)?)?;
        }
        Ok(trigger)
    }

    /// Returns the error for the first key that a trigger of this kind does not have. An option that the kind does not
    /// take gets its own error, which explains why.
    fn unknown(&self, kind: &KindSpec) -> Option<TriggerError> {
        let known = |key: &str| kind.fields.contains(&key) || options::KEYS.contains(&key);
        let (key, _) = self.0.iter().find(|(key, _)| !known(key))?;
        let keys = ["type"].iter().chain(kind.fields).chain(kind.options);
        Some(suggest::among(
            format!("`{key}` is not a field of a trigger of type {}", kind.name),
            key,
            keys.copied(),
        ))
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let index = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.swap_remove(index).1)
    }
}

/// Returns the error of a field with its own language, with only the advice that helps.
#[cold]
fn advised(fields: &Fields<'_>) -> Option<TriggerError> {
    match (fields.get("expr"), fields.get("every")) {
        (Some(expr), _) => Trigger::cron(expr).err(),
        (_, Some(every)) => Trigger::every(every).err(),
        _ => None,
    }
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str, TriggerError> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(TriggerError::new(format!(
            "`{key}` takes a text or a whole number"
        ))),
    }
}

/// `start_date` is an alias of `start`.
fn plain(key: &str) -> &str {
    match key {
        "start_date" => "start",
        "end_date" => "end",
        _ => key,
    }
}
