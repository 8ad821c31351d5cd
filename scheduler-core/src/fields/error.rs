//! Errors in user-supplied data, field by field.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use scheduler_triggers::nearest;
use serde_json::Value;

/// The number of errors that are kept. Data with more of them is usually something else entirely. Further errors are
/// only counted, because they would take many times the memory of the data.
const MAX_KEPT: usize = 50;

/// A field of data that was refused; part of [`FieldErrors`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The path of the field, such as `policies.retries` or `arguments.hosts[2].name`; empty if the error concerns
    /// the whole.
    pub field: String,
    /// What is wrong with the field, and what to do.
    pub problem: FieldProblem,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, problem: FieldProblem) -> Self {
        Self {
            field: field.into(),
            problem,
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, problem } = self;
        if field.is_empty() {
            return write!(f, "{problem}");
        }
        write!(f, "`{field}`: {problem}")
    }
}

impl std::error::Error for FieldError {}

/// What is wrong with a field. The text also says what to do.
///
/// ```
/// use scheduler_core::{FieldProblem, Job};
///
/// let json = r#"{"task": "send_report", "trigger": "0 9 * * *", "timezon": "Europe/Berlin"}"#;
/// let errors = Job::from_json(serde_json::from_str(json)?).unwrap_err();
/// for error in &errors {
///     match &error.problem {
///         FieldProblem::Unknown { suggestion, .. } => {
///             assert_eq!((&*error.field, suggestion.as_deref()), ("timezon", Some("timezone")));
///         }
///         other => panic!("not what was expected: {other:?}"),
///     }
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldProblem {
    /// The field is required, but absent or null.
    Missing {
        /// What to specify.
        remedy: &'static str,
    },
    /// There is no field with this name.
    Unknown {
        /// The kind of name: `field` or `policy`, or what a caller of [`unknown`](Self::unknown) specifies.
        what: &'static str,
        /// The name that was probably meant.
        suggestion: Option<Cow<'static, str>>,
        /// The known names.
        known: Arc<[&'static str]>,
    },
    /// The value has the wrong type.
    WrongType {
        /// The expected type, such as `text`.
        expected: Cow<'static, str>,
        /// The type that was found, such as `a list`.
        found: &'static str,
    },
    /// The text is too long.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The maximum length.
        most: usize,
    },
    /// The same key appears twice in one object.
    Repeated,
    /// The value has the right type but is invalid.
    Invalid {
        /// What is wrong, and what to do.
        message: String,
    },
}

impl FieldProblem {
    /// Creates the problem of a value that has the right type but is invalid.
    ///
    /// [`Fields`](crate::Fields) has an example.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::Invalid {
            message: message.to_string(),
        }
    }

    /// Creates the problem of an unknown name, with the closest known name as the suggestion.
    ///
    /// ```
    /// use scheduler_core::FieldProblem;
    ///
    /// let problem = FieldProblem::unknown("parameter", "limt", &["after", "limit"]);
    /// assert_eq!(problem.to_string(), "there is no such parameter: did you mean `limit`?");
    /// let problem = FieldProblem::unknown("parameter", "x", &["after", "limit"]);
    /// assert_eq!(problem.to_string(), "there is no such parameter: it takes `after`, `limit`");
    /// ```
    pub fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> Self {
        Self::unknown_among(what, name, &known.into())
    }

    /// Does the same with a list of known names that several problems share.
    pub(super) fn unknown_among(
        what: &'static str,
        name: &str,
        known: &Arc<[&'static str]>,
    ) -> Self {
        Self::Unknown {
            what,
            suggestion: nearest(name, known.iter().copied()).map(Cow::Borrowed),
            known: known.clone(),
        }
    }

    /// Creates the problem of a value whose type is not `expected`, which follows "it has to be" in the text.
    ///
    /// ```
    /// use scheduler_core::FieldProblem;
    ///
    /// let problem = FieldProblem::wrong_type("a number of seats", &"many".into());
    /// assert_eq!(problem.to_string(), "it has to be a number of seats, not text");
    /// ```
    pub fn wrong_type(expected: impl Into<Cow<'static, str>>, found: &Value) -> Self {
        Self::WrongType {
            expected: expected.into(),
            found: match found {
                Value::Null => "null",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                Value::String(_) => "text",
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
            },
        }
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { remedy } => write!(f, "it is missing: {remedy}"),
            Self::Unknown {
                what,
                suggestion,
                known,
            } => {
                write!(f, "there is no such {what}: ")?;
                match (suggestion, &**known) {
                    (Some(meant), _) => write!(f, "did you mean `{meant}`?"),
                    (None, []) => f.write_str("none is taken here"),
                    (None, known) => write!(f, "it takes `{}`", known.join("`, `")),
                }
            }
            Self::WrongType { expected, found } => {
                write!(f, "it has to be {expected}, not {found}")
            }
            Self::TooLong { bytes, most } => write!(f, "it has {bytes} bytes: give at most {most}"),
            Self::Repeated => f.write_str("it is there twice"),
            Self::Invalid { message } => f.write_str(message),
        }
    }
}

/// The invalid fields of some data, at least one.
///
/// It contains the first 50 of them and [counts](Self::total) all.
///
/// ```
/// use scheduler_core::Job;
///
/// let errors = serde_json::from_str::<Job>(r#"{"task": 5, "trigger": "evry 5m"}"#).unwrap_err();
/// let text = errors.to_string();
/// assert!(text.starts_with("2 fields cannot be taken:\n  - `task`: it has to be text, not a number\n"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    kept: Vec<FieldError>,
    /// The number of further errors.
    more: usize,
}

impl FieldErrors {
    /// Iterates over the first 50 fields, in the order in which they were read.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.kept.iter()
    }

    /// Returns the number of invalid fields.
    ///
    /// ```
    /// use scheduler_core::Job;
    ///
    /// let object = (0..100_000).map(|i| (format!("field_{i}"), i.into())).collect();
    /// let errors = Job::from_json(object).unwrap_err();
    /// assert_eq!((errors.iter().count(), errors.total()), (50, 100_002)); // `task` and `trigger` are missing
    /// ```
    pub fn total(&self) -> usize {
        self.kept.len() + self.more
    }

    pub(super) fn as_slice(&self) -> &[FieldError] {
        &self.kept
    }

    /// Adds an error, which is created only if it is kept.
    pub(super) fn push(&mut self, error: impl FnOnce() -> FieldError) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.kept.push(error());
        }
    }

    /// Returns `true` if more errors are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.kept.len() == MAX_KEPT
    }
}

impl IntoIterator for FieldErrors {
    type Item = FieldError;
    type IntoIter = std::vec::IntoIter<FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.into_iter()
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = std::slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([one], 0) = (self.as_slice(), self.more) {
            return write!(f, "{one}");
        }
        write!(f, "{} fields cannot be taken:", self.total())?;
        self.iter()
            .try_for_each(|error| write!(f, "\n  - {error}"))?;
        if self.more > 0 {
            write!(f, "\n  - and {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for FieldErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_each_field_and_does_not_grow_without_bound() {
        let errors = |fields: &[&str]| {
            let mut errors = FieldErrors::default();
            for field in fields {
                errors.push(|| FieldError::new(*field, FieldProblem::Repeated));
            }
            errors
        };
        let one = errors(&["a.b"]);
        assert_eq!(one.to_string(), "`a.b`: it is there twice");
        let whole = errors(&[""]);
        assert_eq!(whole.to_string(), "it is there twice");
        let two = errors(&["a", "b"]);
        let text =
            "2 fields cannot be taken:\n  - `a`: it is there twice\n  - `b`: it is there twice";
        assert_eq!(two.to_string(), text);
        let many = errors(&["a"].repeat(20_000)).to_string();
        assert!(many.starts_with("20000 fields") && many.ends_with("and 19950 more"));
        assert_eq!(many.lines().count(), 52);
    }

    #[test]
    fn unknown_names_suggest_the_closest_or_list_all() {
        let text = |name: &str, known: &[&'static str]| {
            FieldProblem::unknown("field", name, known).to_string()
        };
        assert!(text("tusk", &["id", "task"]).ends_with("did you mean `task`?"));
        assert!(text("colour", &["id", "task"]).ends_with("it takes `id`, `task`"));
        assert!(text("task", &[]).ends_with("none is taken here"));
    }
}
