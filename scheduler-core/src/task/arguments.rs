//! The arguments of a job, kept as JSON and read by name.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::failure::TaskFailure;

/// The maximum size of a job's arguments, in bytes of JSON.
pub(crate) const MAX_ARGUMENTS_BYTES: usize = 256 * 1024;

/// The maximum levels of lists and objects in one argument. Stores embed arguments in their own objects, and
/// `serde_json` reads at most 128 levels.
const MAX_LEVELS: usize = 64;

/// The arguments of a job: a JSON object with one entry per parameter, at most 256 KiB of text and 64 levels of lists
/// and objects in each.
///
/// Cheap to clone. Without arguments, it uses no memory.
///
/// ```
/// use scheduler_core::Arguments;
///
/// let arguments = Arguments::new().with("user_id", 42)?.with("text", "stand-up")?;
/// assert_eq!(arguments.get("user_id").and_then(|id| id.as_i64()), Some(42));
/// assert_eq!(arguments.iter().count(), 2);
/// assert_eq!(arguments.to_string(), r#"{"text":"stand-up","user_id":42}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Arguments(Option<Arc<Map<String, Value>>>);

impl Arguments {
    /// Creates empty arguments.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Adds or replaces one argument.
    ///
    /// # Errors
    /// Returns an error if the value cannot be written as JSON.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Result<Self, serde_json::Error> {
        let value = serde_json::to_value(value)?;
        let mut map = self.0.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        map.insert(name.to_owned(), value);
        Ok(Self(Some(Arc::new(map))))
    }

    /// Returns one argument.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Iterates over names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .flat_map(|map| map.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// Returns `true` if there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|map| map.is_empty())
    }

    /// Returns the first argument that is nested too deeply to be read back, and what is wrong with it.
    pub(crate) fn too_deep(&self) -> Option<(&str, String)> {
        let (name, _) = self
            .iter()
            .find(|(_, value)| is_deeper_than(MAX_LEVELS, value))?;
        let problem = format!(
            "it has more than {MAX_LEVELS} levels of lists and objects inside each other: make it flatter, or pass it as text and parse that in the task"
        );
        Some((name, problem))
    }

    /// Returns the length of the JSON text.
    pub(crate) fn json_len(&self) -> usize {
        if self.is_empty() {
            2
        } else {
            self.to_string().len()
        }
    }

    /// Deserializes one argument into its parameter's type.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, TaskFailure> {
        match self.get(name) {
            Some(value) => T::deserialize(value).map_err(|error| {
                TaskFailure::new(format!(
                    "argument `{name}` is not of type `{}`: {error}",
                    short_type_name(std::any::type_name::<T>())
                ))
            }),
            None => {
                // `null` represents a missing `Option`.
                T::deserialize(Value::Null).map_err(|_| {
                    TaskFailure::new(format!(
                        "argument `{name}` is missing: give it in the job's arguments, or mark the parameter `#[arg(default)]`"
                    ))
                })
            }
        }
    }

    /// Reports that a secret argument does not have its parameter's type, without showing its value.
    pub(crate) fn wrong_secret<T>(name: &str) -> TaskFailure {
        TaskFailure::new(format!(
            "argument `{name}` is not of type `{}`; its value is not shown, because it is `#[arg(secret)]`",
            short_type_name(std::any::type_name::<T>())
        ))
    }
}

impl From<Map<String, Value>> for Arguments {
    fn from(map: Map<String, Value>) -> Self {
        if map.is_empty() {
            Self(None)
        } else {
            Self(Some(Arc::new(map)))
        }
    }
}

impl Serialize for Arguments {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(map) => map.serialize(serializer),
            None => serializer.collect_map(std::iter::empty::<((), ())>()),
        }
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

/// Formats as JSON.
impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Descends no deeper than necessary: values created in code can be nested without limit.
fn is_deeper_than(levels: usize, value: &Value) -> bool {
    let is_deeper = |item| is_deeper_than(levels - 1, item);
    match value {
        Value::Array(list) => levels == 0 || list.iter().any(is_deeper),
        Value::Object(map) => levels == 0 || map.values().any(is_deeper),
        _ => false,
    }
}

/// Returns a type's name as a user would write it, without the paths of its parts.
fn short_type_name(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    for part in name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_by_name_and_errors_name_them() {
        let arguments = Arguments::new().with("count", 3).unwrap();
        assert_eq!(arguments.read::<u8>("count"), Ok(3));
        assert_eq!(arguments.read::<Option<u8>>("other"), Ok(None));
        let wrong = arguments.read::<String>("count").unwrap_err().to_string();
        assert!(
            wrong.starts_with("argument `count` is not of type `String`"),
            "{wrong}"
        );
        let missing = arguments.read::<u8>("other").unwrap_err().to_string();
        assert!(
            missing.starts_with("argument `other` is missing"),
            "{missing}"
        );
    }

    #[test]
    fn type_names_lose_their_paths() {
        let name =
            std::any::type_name::<Option<Vec<std::collections::HashMap<String, (u8, &str)>>>>();
        assert!(short_type_name(name).starts_with("Option<Vec<HashMap<String, (u8, &str)"));
    }

    #[test]
    fn argument_nested_too_deep_is_named() {
        let nested = |levels| {
            let wrap = |inner, level: u32| match level % 2 {
                0 => serde_json::json!([1, inner]),
                _ => serde_json::json!({"x": inner}),
            };
            (0..levels).fold(Value::Null, wrap)
        };
        let of = |levels| {
            let arguments = Arguments::new().with("flat", [1]).unwrap();
            arguments.with("tree", nested(levels)).unwrap()
        };
        assert_eq!(of(64).too_deep(), None);
        for levels in [65, 1_000] {
            let arguments = of(levels);
            let (name, problem) = arguments.too_deep().unwrap();
            assert!(name == "tree" && problem.contains("64 levels"), "{problem}");
        }
    }

    #[test]
    fn floats_are_read_back_as_they_were_written() {
        // Adjacent doubles, whose shortest texts are misread by a parser that rounds twice.
        let written: Vec<f64> = (0..2_000_u64)
            .map(|i| {
                f64::from_bits(
                    0x3ff0_0000_0000_0000 ^ (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12),
                )
            })
            .chain([5e-324, f64::MAX, f64::MIN_POSITIVE, 52.520_006_599_999_996])
            .collect();
        let text = Arguments::new().with("x", &written).unwrap().to_string();
        let read: Arguments = serde_json::from_str(&text).unwrap();
        assert_eq!(read.read::<Vec<f64>>("x"), Ok(written));
    }

    #[test]
    fn json_round_trip() {
        let arguments = Arguments::new().with("a", "x").unwrap();
        let back: Arguments = serde_json::from_str(&arguments.to_string()).unwrap();
        assert_eq!(arguments, back);
        assert_eq!(Arguments::new().to_string(), "{}");
        assert_eq!(
            serde_json::from_str::<Arguments>("{}").unwrap(),
            Arguments::new()
        );
    }
}
