//! The texts of policies, as they stand in attributes, JSON and calls of the builder.

use std::fmt::Display;
use std::time::Duration;

use scheduler_triggers::{format_duration, parse_duration};

use super::{Backoff, Coalesce, Overlap};

/// A type of policies that has a text form.
pub(super) trait PolicyText: Sized {
    /// Reads the text. The error says what is wrong and what to write.
    fn read(text: &str) -> Result<Self, String>;
}

fn refused(error: impl Display) -> String {
    error.to_string()
}

impl PolicyText for Duration {
    fn read(text: &str) -> Result<Self, String> {
        parse_duration(text).map_err(refused)
    }
}

/// A limit: a duration, or `none`.
impl PolicyText for Option<Duration> {
    fn read(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(None);
        }
        Duration::read(text).map(Some)
    }
}

/// The text of a limit that is not there.
const NONE: &str = "none";

/// Writes a limit as [`PolicyText`] reads it.
pub(super) fn limit_text(limit: Option<Duration>) -> String {
    limit.map_or_else(|| NONE.to_owned(), format_duration)
}

impl PolicyText for Backoff {
    fn read(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(refused)
    }
}

impl PolicyText for Coalesce {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| forms(Self::FORMS))
    }
}

impl PolicyText for Overlap {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| forms(Self::FORMS))
    }
}

fn forms(forms: &str) -> String {
    format!("write {forms}")
}
