//! Reading data field by field, so that all mistakes are reported at once and by name.

mod error;
mod parts;
mod read;
mod unknown;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use error::{FieldError, FieldErrors, FieldProblem};
use unknown::unknown_field;

/// The fields of a user-supplied object, and the errors found so far.
///
/// [`Job::from_json`](crate::Job::from_json) and [`JobPatch::from_json`](crate::JobPatch::from_json) read whole
/// objects. This is for code that reads parts of a job alongside its own fields, such as a request handler: each call
/// takes a field out, and [`finish`](Self::finish) refuses those that are left.
///
/// Serde reads it from any self-describing format. Duplicate keys are errors, at any depth.
///
/// ```
/// use scheduler_core::{FieldProblem, Fields};
///
/// let read = |json: &str| {
///     let mut fields: Fields = serde_json::from_str(json).map_err(|error| error.to_string())?;
///     let title = fields.text("title", 80);
///     if title.as_deref() == Some("") {
///         fields.refuse("title", FieldProblem::invalid("it is empty: name the report"));
///     }
///     let trigger = fields.trigger(); // takes `timezone` as well
///     if trigger.is_none() {
///         fields.missing("trigger", "say when to send it, such as `0 9 * * mon`");
///     }
///     let policies = fields.policies().unwrap_or_default();
///     fields.finish().map_err(|errors| errors.to_string())?;
///     Ok::<_, String>((title, trigger, policies))
/// };
///
/// let (title, trigger, _) = read(r#"{"title": "Sales", "trigger": "@weekly", "timezone": "UTC"}"#)?;
/// assert_eq!(title.as_deref(), Some("Sales"));
/// assert_eq!(trigger.map(|it| it.to_string()).as_deref(), Some("cron 0 0 * * 0 timezone=UTC"));
///
/// let errors = read(r#"{"title": "", "triger": "@weekly", "policies": {"retries": -1}}"#).unwrap_err();
/// for part in ["`title`: it is empty", "`trigger`: it is missing", "`policies.retries`", "`trigger`?"] {
///     assert!(errors.contains(part), "{errors}");
/// }
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    /// The names that were requested.
    known: Vec<&'static str>,
    /// Fields with an error that `errors` contains under another name or not at all.
    answered: Vec<&'static str>,
    errors: FieldErrors,
}

impl Fields {
    /// The maximum length of a job id or a name, in bytes.
    pub const MAX_NAME: usize = crate::id::MAX_NAME_BYTES;

    /// The maximum length of the note of a paused job, in bytes.
    pub const MAX_NOTE: usize = 1_000;

    /// Begins to read an object.
    pub fn new(object: Map<String, Value>) -> Self {
        Self {
            left: object,
            known: Vec::new(),
            answered: Vec::new(),
            errors: FieldErrors::default(),
        }
    }

    /// Returns a field that was not taken yet. `null` counts as absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.left.get(name).filter(|value| !value.is_null())
    }

    /// Takes a field out, whatever its type. `null` counts as absent.
    pub fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text of at most `most` bytes. An invalid value becomes an error and `None`.
    pub fn text(&mut self, name: &'static str, most: usize) -> Option<String> {
        let checked = match self.take(name)? {
            Value::String(text) => Self::check_text(&text, most).map(|()| text),
            other => Err(FieldProblem::wrong_type("text", &other)),
        };
        checked.map_err(|problem| self.refuse(name, problem)).ok()
    }

    /// Checks a text that is to be stored: at most `most` bytes, and no NUL, which PostgreSQL refuses.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    ///
    /// ```
    /// use scheduler_core::Fields;
    ///
    /// assert!(Fields::check_text("on holiday", Fields::MAX_NOTE).is_ok());
    /// assert!(Fields::check_text("on holiday", 5).is_err());
    /// ```
    pub fn check_text(text: &str, most: usize) -> Result<(), FieldProblem> {
        if text.len() > most {
            return Err(FieldProblem::TooLong {
                bytes: text.len(),
                most,
            });
        }
        if text.contains('\0') {
            let message = "it contains a NUL character, which cannot be kept";
            return Err(FieldProblem::invalid(message));
        }
        Ok(())
    }

    /// Adds an error. Errors after the first 50 are only counted.
    pub fn refuse(&mut self, field: impl Into<String>, problem: FieldProblem) {
        let field = field.into();
        // `missing` has to know about it, although it is not kept.
        if self.errors.is_full()
            && let Some(known) = self.known.iter().copied().find(|known| *known == field)
        {
            self.answer(known);
        }
        self.errors.push(|| FieldError::new(field, problem));
    }

    /// Records that a field has an error that is reported under another name.
    fn answer(&mut self, field: &'static str) {
        if !self.answered.contains(&field) {
            self.answered.push(field);
        }
    }

    /// Adds an error for a required field, unless the field already has an error.
    pub fn missing(&mut self, field: &'static str, remedy: &'static str) {
        let is_reported = |error: &FieldError| error.field.is_empty() || error.field == field;
        if !self.answered.contains(&field) && !self.errors.iter().any(is_reported) {
            self.refuse(field, FieldProblem::Missing { remedy });
        }
    }

    /// Returns the errors found so far, at most the first 50.
    pub fn errors(&self) -> &[FieldError] {
        self.errors.as_slice()
    }

    /// Refuses the fields that were not taken.
    ///
    /// # Errors
    /// Returns every error.
    pub fn finish(mut self) -> Result<(), FieldErrors> {
        let known: Arc<[&'static str]> = self.known.into();
        for name in self.left.keys() {
            self.errors
                .push(|| FieldError::new(name, unknown_field(name, &known)));
        }
        if self.errors.total() == 0 {
            return Ok(());
        }
        Err(self.errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let json = r#"{"id": 1, "tusk": "a", "count": "3", "none": null}"#;
        let mut fields: Fields = serde_json::from_str(json).unwrap();
        assert_eq!(fields.get("count"), Some(&"3".into()));
        assert_eq!(fields.get("none"), None);
        assert_eq!(fields.take("none"), None);
        fields.text("id", 10);
        fields.text("task", 10);
        fields.text("count", 0);
        fields.missing("id", "never said, since it is there and wrong");
        fields.missing("task", "name it");
        let errors = fields.finish().unwrap_err().to_string();
        let expected = [
            "4 fields cannot be taken:",
            "  - `id`: it has to be text, not a number",
            "  - `count`: it has 1 bytes: give at most 0",
            "  - `task`: it is missing: name it",
            "  - `tusk`: there is no such field: did you mean `task`?",
        ];
        assert_eq!(errors, expected.join("\n"));
    }

    #[test]
    fn errors_after_the_first_are_counted() {
        let many: Vec<_> = (0..100_000).map(|i| format!("\"f{i}\":1,")).collect();
        let many = many.concat();
        let json = format!("{{{many}\"policies\":{{{many}\"retries\":1}},\"task\":1}}");
        let mut fields: Fields = serde_json::from_str(&json).unwrap();
        assert!(fields.policies().is_some());
        assert_eq!(fields.text("task", 10), None);
        fields.missing("task", "never said, since it is there and wrong");
        fields.missing("id", "name it");
        let errors = fields.finish().unwrap_err();
        assert_eq!((errors.iter().count(), errors.total()), (50, 200_002));
        let lists: Vec<_> = errors
            .iter()
            .filter_map(|error| match &error.problem {
                FieldProblem::Unknown { known, .. } => Some(known),
                _ => None,
            })
            .collect();
        assert!(lists.iter().all(|list| Arc::ptr_eq(list, lists[0])));
        assert!(errors.to_string().ends_with("and 199952 more"), "{errors}");
    }

    #[test]
    fn texts_with_nul_are_refused() {
        let mut fields: Fields = serde_json::from_str(r#"{"a": "x\u0000"}"#).unwrap();
        assert_eq!(fields.text("a", 10), None);
        assert!(fields.errors()[0].to_string().contains("NUL"));
    }

    #[test]
    fn data_without_fields_has_one_error() {
        let mut fields: Fields = serde_json::from_str("[]").unwrap();
        fields.missing("task", "name it");
        let errors = fields.finish().unwrap_err().to_string();
        assert_eq!(errors, "it has to be an object, not a list");
    }
}
