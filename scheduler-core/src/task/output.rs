//! What a task's function may return, told apart by type and not by spelling.
//!
//! The macros emit `Returned(value).record()`.

use std::error::Error;

use serde::Serialize;

use super::failure::TaskFailure;
use super::inner_error::inner_error;
use crate::__private::{Closed, Nothing, Stored};

/// Longest recorded value, in bytes of JSON.
pub(crate) const MAX_VALUE_BYTES: usize = 256 * 1024;

/// A value as JSON (`None` for `()` and for JSON's null), or why it cannot be recorded.
type ValueJson = Result<Option<Box<str>>, TaskFailure>;

/// How an attempt's body ended.
#[derive(Debug, PartialEq, Eq)]
pub enum TaskOutput {
    /// It returned a value that is not a `Result`, so it had no way to report that it stopped early.
    Returned(Option<Box<str>>),
    /// It returned `Ok`.
    Succeeded(Option<Box<str>>),
    /// It returned an error, or a value that cannot be recorded.
    Failed(TaskFailure),
}

/// A value that is kept with the run's record.
///
/// Implemented for every `T: Serialize`. `Way` is inferred; a second way that is closed to every
/// type makes the compiler report this trait and not the one behind it.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "what a task returns is recorded with the run, so it must implement `serde::Serialize`",
    note = "a task returns `()`, a value that implements `serde::Serialize`, or a `Result` of such a value",
    note = "if this is a `Result` in a `Result`, put `?` behind the outer one, as in `spawn_blocking(…).await?`, and return the inner one"
)]
pub trait RecordedValue<Way> {
    #[doc(hidden)]
    fn record(self) -> ValueJson;
}

impl<T: Nothing> RecordedValue<Closed> for T {
    fn record(self) -> ValueJson {
        self.absurd()
    }
}

impl<T: Serialize> RecordedValue<Stored> for T {
    fn record(self) -> ValueJson {
        if let Some(text) = inner_error(&self) {
            return Err(TaskFailure::new(text));
        }
        let text = serde_json::to_string(&self).map_err(|error| {
            TaskFailure::new(format!("the returned value is not JSON: {error}"))
        })?;
        if text == "null" {
            return Ok(None);
        }
        if text.len() > MAX_VALUE_BYTES {
            return Err(TaskFailure::new(format!(
                "the returned value has {} bytes of JSON, over the limit of {MAX_VALUE_BYTES}: return less, or store it yourself",
                text.len()
            )));
        }
        Ok(Some(text.into_boxed_str()))
    }
}

/// An error that a task may return: anything that converts into `Box<dyn Error + Send + Sync>`,
/// `anyhow::Error` and `String` included.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `Result<_, {Self}>`",
    label = "this error must convert into `Box<dyn std::error::Error + Send + Sync>`",
    note = "implement `std::error::Error` for a type of your own, write a boxed error as `Box<dyn std::error::Error + Send + Sync>`, or return `anyhow::Result<_>`"
)]
pub trait RecordedError<Way> {
    #[doc(hidden)]
    fn failure(self) -> TaskFailure;
}

impl<E: Nothing> RecordedError<Closed> for E {
    fn failure(self) -> TaskFailure {
        self.absurd()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> RecordedError<Stored> for E {
    fn failure(self) -> TaskFailure {
        let error: Box<dyn Error + Send + Sync> = self.into();
        TaskFailure::from_error(&*error)
    }
}

/// A returned value on its way to its record.
///
/// The inherent `record` of `Returned<Result<T, E>>` goes before the trait's, so the spelling of a
/// result type (an alias, `anyhow::Result`) does not matter.
#[doc(hidden)]
#[derive(Debug)]
pub struct Returned<T>(pub T);

impl<T, E> Returned<Result<T, E>> {
    /// Records the value, or why there is none.
    pub fn record<ValueWay, ErrorWay>(self) -> TaskOutput
    where
        T: RecordedValue<ValueWay>,
        E: RecordedError<ErrorWay>,
    {
        match self.0.map(RecordedValue::record) {
            Ok(Ok(value)) => TaskOutput::Succeeded(value),
            Ok(Err(failure)) => TaskOutput::Failed(failure),
            Err(error) => TaskOutput::Failed(error.failure()),
        }
    }
}

impl Returned<()> {
    /// Nothing to record, and so nothing to write as JSON: most tasks.
    pub fn record(self) -> TaskOutput {
        TaskOutput::Returned(None)
    }
}

/// The way of every other type that is no `Result`.
#[doc(hidden)]
pub trait RecordPlain {
    /// What is returned.
    type Value;

    /// Records the value.
    fn record<Way>(self) -> TaskOutput
    where
        Self::Value: RecordedValue<Way>;
}

impl<V> RecordPlain for Returned<V> {
    type Value = V;

    fn record<Way>(self) -> TaskOutput
    where
        V: RecordedValue<Way>,
    {
        match self.0.record() {
            Ok(value) => TaskOutput::Returned(value),
            Err(failure) => TaskOutput::Failed(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_is_no_value_and_others_are_json() {
        use TaskOutput::Returned as Plain;

        assert_eq!(Returned(()).record(), Plain(None));
        assert_eq!(Returned(7_u64).record(), Plain(Some("7".into())));
        assert_eq!(Returned(Some("a")).record(), Plain(Some("\"a\"".into())));
    }

    #[test]
    fn results_are_told_apart_by_type() {
        type Alias = Result<u8, String>;
        let good: Alias = Ok(3);
        let bad: Alias = Err("no".into());
        let failed = |text: &str| TaskOutput::Failed(TaskFailure::new(text));
        assert_eq!(
            Returned(good).record(),
            TaskOutput::Succeeded(Some("3".into()))
        );
        assert_eq!(Returned(bad).record(), failed("no"));
        let any: anyhow::Result<()> = Err(anyhow::anyhow!("inner").context("outer"));
        assert_eq!(Returned(any).record(), failed("outer: inner"));
    }

    #[test]
    fn an_error_inside_of_the_value_is_a_failure() {
        type Nested<T> = Result<T, std::io::Error>;
        type Inner = Result<u8, String>;
        let failed = || TaskOutput::Failed(TaskFailure::new("no"));
        let no = || Inner::Err("no".to_owned());
        assert_eq!(Returned(Nested::Ok(no())).record(), failed());
        assert_eq!(Returned(Nested::Ok(Some(no()))).record(), failed());
        assert_eq!(Returned(Some(no())).record(), failed());
        let good = Returned(Nested::Ok(Inner::Ok(3))).record();
        assert_eq!(good, TaskOutput::Succeeded(Some("{\"Ok\":3}".into())));
    }

    #[test]
    fn an_over_long_value_is_a_failure_that_names_the_limit() {
        let output = Returned("x".repeat(MAX_VALUE_BYTES)).record();
        let TaskOutput::Failed(failure) = output else {
            panic!("{output:?}");
        };
        assert!(failure.to_string().contains("over the limit of 262144"));
    }
}
