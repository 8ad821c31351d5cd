//! What the macros' output names. Not for use by hand: it changes without notice.
//!
//! Each parameter of a task has one *carrier*, a constant that knows how to read it. What a type
//! must implement is asked for where its carrier is made and nowhere else, so that the compiler
//! tells a missing implementation once, on the parameter's type.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

pub use core::option::Option;
pub use core::result::Result;
pub use core::time::Duration;
pub use inventory;
pub use serde_json::Error as JsonError;

pub use crate::hash::Fnv1a;
pub use crate::job::Job;
pub use crate::lock::lock;
pub use crate::policy::{Backoff, Coalesce, Overlap, PolicyPatch};
pub use crate::random::random_u64;
pub use crate::source_location::SourceLocation;
pub use crate::task::arguments::Arguments;
pub use crate::task::context::JobContext;
pub use crate::task::data::Requirement;
pub use crate::task::definition::{
    ArgumentCheck, ArgumentsWriter, JobDefinition, Parameter, ParameterRole, TaskBody,
    TaskDefinition,
};
pub use crate::task::failure::TaskFailure;
pub use crate::task::from_context::FromContext;
pub use crate::task::output::{RecordPlain, RecordedError, RecordedValue, Returned, TaskOutput};

/// A type that can be an argument of a job: `Serialize + DeserializeOwned + 'static`.
///
/// `Way` is inferred. There are two ways, one of them closed to every type, because the compiler
/// would look through a single one and report `Deserialize` instead of this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a job",
    label = "an argument is stored with its job, so it must implement `serde::Serialize` and `serde::Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to a type of your own",
    note = "a value of the application is injected as `Data<…>`, and a type that implements `FromContext` is marked `#[inject]`"
)]
pub trait JobArgument<Way>: Sized {
    #[doc(hidden)]
    fn write(self, job: Job, name: &str) -> Job;
    #[doc(hidden)]
    fn put(self, arguments: Arguments, name: &str) -> Result<Arguments, JsonError>;
    #[doc(hidden)]
    fn read(arguments: &Arguments, name: &str) -> Result<Self, TaskFailure>;
}

/// The way of every type that can be an argument.
#[derive(Debug)]
pub enum Stored {}

/// The way that is closed.
#[derive(Debug)]
pub enum Closed {}

/// Implemented by nothing.
#[doc(hidden)]
pub trait Nothing: Sized {
    fn never() -> Self;
    fn absurd<T>(&self) -> T;
}

impl<T: Serialize + DeserializeOwned + 'static> JobArgument<Stored> for T {
    fn write(self, job: Job, name: &str) -> Job {
        job.argument(name, self)
    }

    fn put(self, arguments: Arguments, name: &str) -> Result<Arguments, JsonError> {
        arguments.with(name, self)
    }

    fn read(arguments: &Arguments, name: &str) -> Result<Self, TaskFailure> {
        arguments.read(name)
    }
}

impl<T: Nothing> JobArgument<Closed> for T {
    fn write(self, _: Job, _: &str) -> Job {
        self.absurd()
    }

    fn put(self, _: Arguments, _: &str) -> Result<Arguments, JsonError> {
        self.absurd()
    }

    fn read(_: &Arguments, _: &str) -> Result<Self, TaskFailure> {
        Ok(T::never())
    }
}

/// The carrier of a parameter that is an argument.
pub struct Argument<T> {
    name: &'static str,
    is_secret: bool,
    write: fn(T, Job, &str) -> Job,
    put: fn(T, Arguments, &str) -> Result<Arguments, JsonError>,
    read: fn(&Arguments, &str) -> Result<T, TaskFailure>,
    default: Option<fn() -> Result<T, JsonError>>,
}

impl<T> Argument<T> {
    /// The carrier of the argument of this name.
    pub const fn new<Way>(name: &'static str) -> Self
    where
        T: JobArgument<Way>,
    {
        Self {
            name,
            is_secret: false,
            write: T::write,
            put: T::put,
            read: T::read,
            default: None,
        }
    }

    /// The carrier of the secret argument of this name.
    pub const fn secret<Way>(name: &'static str) -> Self
    where
        T: JobArgument<Way>,
    {
        let mut carrier = Self::new(name);
        carrier.is_secret = true;
        carrier
    }

    /// The same carrier, which makes a value that is missing.
    #[must_use]
    pub const fn or(mut self, default: fn() -> Result<T, JsonError>) -> Self {
        self.default = Some(default);
        self
    }

    /// Adds the value to a job.
    pub fn write(&self, job: Job, value: T) -> Job {
        (self.write)(value, job, self.name)
    }

    /// Adds the value to arguments.
    pub fn put(&self, writer: &mut ArgumentsWriter, value: T) {
        writer.add(|arguments| (self.put)(value, arguments, self.name));
    }

    /// Adds a value that was made of a text.
    pub fn put_converted(&self, writer: &mut ArgumentsWriter, value: Result<T, JsonError>) {
        writer.add(|arguments| (self.put)(value?, arguments, self.name));
    }

    /// Takes the value out of a run's arguments, or makes it when there is none and it has a default.
    ///
    /// # Errors
    /// It is missing or of another type, or the default could not be made.
    pub fn take(&self, context: &JobContext) -> Result<T, TaskFailure> {
        self.read(context.arguments())
    }

    fn read(&self, arguments: &Arguments) -> Result<T, TaskFailure> {
        let is_there = arguments.get(self.name).is_some();
        if !is_there && let Some(default) = self.default {
            return default().map_err(|error| {
                TaskFailure::new(format!(
                    "the default of argument `{}` cannot be made: {error}",
                    self.name
                ))
            });
        }
        (self.read)(arguments, self.name).map_err(|failure| {
            // What serde says of a value repeats it.
            if self.is_secret && is_there {
                Arguments::wrong_secret::<T>(self.name)
            } else {
                failure
            }
        })
    }
}

impl<T> ArgumentCheck for Argument<T> {
    fn check(&self, arguments: &Arguments) -> Result<(), TaskFailure> {
        self.read(arguments).map(drop)
    }
}

/// Its name alone: the type need not implement `Debug`.
impl<T> fmt::Debug for Argument<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Argument").field(&self.name).finish()
    }
}

/// The carrier of an injected parameter.
#[derive(Debug)]
pub struct Injected<T> {
    take: fn(&JobContext) -> Result<T, TaskFailure>,
    /// Names what the builder must have been given.
    pub requires: fn() -> Option<Requirement>,
}

impl<T> Injected<T> {
    /// The carrier of a parameter of this type.
    #[allow(clippy::new_without_default)] // made by the macros alone, in constants
    pub const fn new() -> Self
    where
        T: FromContext,
    {
        Self {
            take: T::from_context,
            requires: T::requires,
        }
    }

    /// Takes the value.
    ///
    /// # Errors
    /// What is missing.
    pub fn take(&self, context: &JobContext) -> Result<T, TaskFailure> {
        (self.take)(context)
    }
}

/// A text that is given to a parameter of type `T`: `From<&str>` if there is one, else `FromStr`.
///
/// The macros call `(&&&Text::<T>::new("…")).convert()`; the three traits differ in how many
/// references they are implemented for, so that the first that fits is taken.
#[derive(Debug)]
pub struct Text<T>(&'static str, PhantomData<T>);

impl<T> Text<T> {
    /// Wraps a text.
    pub const fn new(text: &'static str) -> Self {
        Self(text, PhantomData)
    }
}

/// The way of `From<&str>`.
pub trait TextFrom {
    /// The parameter's type.
    type Value;
    /// Converts.
    ///
    /// # Errors
    /// None.
    fn convert(&self) -> Result<Self::Value, JsonError>;
}

impl<T: From<&'static str>> TextFrom for &&Text<T> {
    type Value = T;

    fn convert(&self) -> Result<T, JsonError> {
        Ok(T::from(self.0))
    }
}

/// The way of `FromStr`.
pub trait TextParsed {
    /// The parameter's type.
    type Value;
    /// Converts.
    ///
    /// # Errors
    /// The text is no such value.
    fn convert(&self) -> Result<Self::Value, JsonError>;
}

impl<T: FromStr<Err: std::fmt::Display>> TextParsed for &Text<T> {
    type Value = T;

    fn convert(&self) -> Result<T, JsonError> {
        self.0
            .parse()
            .map_err(|error| JsonError::custom(format!("\"{}\": {error}", self.0)))
    }
}

/// The way of every other type, which ends in an error of the compiler.
pub trait TextRefused {
    /// The parameter's type.
    type Value;
    /// Converts.
    ///
    /// # Errors
    /// None.
    fn convert(&self) -> Result<Self::Value, JsonError>
    where
        Self::Value: TextArgument;
}

impl<T> TextRefused for Text<T> {
    type Value = T;

    fn convert(&self) -> Result<T, JsonError>
    where
        T: TextArgument,
    {
        Ok(T::never())
    }
}

/// A type that a text in quotes can be given to.
#[diagnostic::on_unimplemented(
    message = "a text cannot be the argument of type `{Self}`",
    label = "neither `From<&str>` nor `FromStr` is implemented for `{Self}`",
    note = "write an expression of that type, such as `Some(\"x\".into())` or `vec![1, 2]`"
)]
pub trait TextArgument: Nothing {}

/// Returns an id that the macros could not read, and refuses while compiling what no id can be.
///
/// # Panics
/// The text is not 1 to 255 bytes that can be printed. Used in constants only, so that this is an error of the
/// compiler.
pub const fn checked_id(text: &'static str) -> &'static str {
    assert!(!text.is_empty(), "`id` is empty: give 1 to 255 bytes");
    assert!(
        text.len() <= 255,
        "`id` is too long: give at most 255 bytes"
    );
    assert!(
        !has_control_character(text),
        "`id` contains a character that cannot be printed: leave it out"
    );
    text
}

/// Returns a name, as [`checked_id`] does an id.
///
/// # Panics
/// As [`checked_id`].
pub const fn checked_name(text: &'static str) -> &'static str {
    assert!(!text.is_empty(), "`name` is empty: give 1 to 255 bytes");
    assert!(
        text.len() <= 255,
        "`name` is too long: give at most 255 bytes"
    );
    assert!(
        !has_control_character(text),
        "`name` contains a character that cannot be printed: leave it out"
    );
    text
}

/// Returns what `text.chars().any(char::is_control)` does, which no constant can call.
const fn has_control_character(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        // U+0080 to U+009F are written as 0xC2 and a byte below 0xA0.
        let wide = byte == 0xC2 && index + 1 < bytes.len() && bytes[index + 1] < 0xA0;
        if byte.is_ascii_control() || wide {
            return true;
        }
        index += 1;
    }
    false
}

/// Starts a typed job.
pub fn job(task: &'static str) -> Job {
    Job::new(task)
}

/// Writes the arguments of a job that gives none.
///
/// # Errors
/// None; the others can have some.
pub fn no_arguments(_: &mut ArgumentsWriter) -> Result<(), JsonError> {
    Ok(())
}

/// The record of a task that returns nothing.
pub fn nothing((): ()) -> TaskOutput {
    TaskOutput::Returned(None)
}

/// The default of a type.
pub fn default_of<T: Default>() -> T {
    T::default()
}

/// The text, or an empty one.
pub const fn or_empty(text: Option<&'static str>) -> &'static str {
    match text {
        Some(text) => text,
        None => "",
    }
}

/// The body of an async task.
pub fn async_body<T: 'static, F>(future: F, record: fn(T) -> TaskOutput) -> TaskBody
where
    F: Future<Output = T> + Send + 'static,
{
    TaskBody::Async(Box::pin(async move { record(future.await) }))
}

/// The body of a sync task.
pub fn sync_body(call: impl FnOnce() -> TaskOutput + Send + 'static) -> TaskBody {
    TaskBody::Sync(Box::new(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_cannot_be_printed_are_those_of_the_standard_library() {
        for code in (0..0x250).chain([0x2028, 0xFEFF]) {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let text = format!("a{character}z");
            assert_eq!(
                has_control_character(&text),
                character.is_control(),
                "{character:?}"
            );
        }
    }
}
