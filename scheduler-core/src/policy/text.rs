//! The text forms of policies, as used in attributes, JSON and builder calls.

use std::fmt::Display;
use std::time::Duration;

use scheduler_triggers::{format_duration, parse_duration};

use super::{Backoff, Coalesce, Overlap};

/// A policy type that has a text form.
pub(super) trait PolicyText: Sized {
    /// Parses the text. The error says what is wrong and what to write instead.
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

/// A limit: a duration or `none`.
impl PolicyText for Option<Duration> {
    fn read(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(None);
        }
        Duration::read(text).map(Some)
    }
}

/// The text for the absence of a limit.
const NONE: &str = "none";

/// Formats a limit such that [`PolicyText`] can parse it.
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
