//! How long a failed run waits before its next attempt.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::PolicyError;
use crate::error::TriggerError;
use crate::text::duration::{format_duration, parse_duration};

/// How long a failed run waits before its next attempt: doubling from `first` up to `max`.
///
/// Its text is `1s..1m`, the default, or `5s` for a constant wait.
///
/// ```
/// use scheduler_triggers::policies::Backoff;
/// use std::time::Duration;
///
/// let backoff: Backoff = "1s..10s".parse()?;
/// let waits: Vec<_> = (1..=5).map(|failures| backoff.delay(failures).as_secs()).collect();
/// assert_eq!(waits, [1, 2, 4, 8, 10]);
/// assert_eq!(Backoff::constant(Duration::from_secs(5)), "5s".parse()?);
/// # Ok::<(), scheduler_triggers::policies::PolicyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    first: Duration,
    max: Duration,
}

impl Backoff {
    /// The shortest first wait that a job may have.
    pub const SHORTEST: Duration = Duration::from_millis(1);

    /// Creates a backoff that waits the same time after each failure.
    pub const fn constant(wait: Duration) -> Self {
        Self {
            first: wait,
            max: wait,
        }
    }

    /// Creates a backoff that doubles after each failure, from `first` up to `max` (`first` if that is longer).
    pub const fn exponential(first: Duration, max: Duration) -> Self {
        let max = if max.as_nanos() < first.as_nanos() {
            first
        } else {
            max
        };
        Self { first, max }
    }

    /// Returns the first wait and the longest one.
    pub const fn bounds(self) -> (Duration, Duration) {
        (self.first, self.max)
    }

    /// Returns the wait after this many failures in a row (from 1).
    pub fn delay(&self, failures: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.max)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_secs(60))
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.first))?;
        if self.max != self.first {
            write!(f, "..{}", format_duration(self.max))?;
        }
        Ok(())
    }
}

impl Backoff {
    /// Reads its text. The error contains the wrong part of the text.
    ///
    /// ```
    /// use scheduler_triggers::policies::Backoff;
    ///
    /// let error = Backoff::read("1s..5").unwrap_err();
    /// assert_eq!((error.span(), error.suggestion()), (Some(4..5), Some("5s")));
    /// let error = Backoff::read("1m..1s").unwrap_err();
    /// assert_eq!(error.suggestion(), Some("1s..1m"));
    /// ```
    ///
    /// # Errors
    /// A part that is not a duration, or a longest wait that is shorter than the first.
    pub fn read(text: &str) -> Result<Self, TriggerError> {
        Self::read_exactly(text).map_err(|error| separated(text).unwrap_or(error))
    }

    fn read_exactly(text: &str) -> Result<Self, TriggerError> {
        let Some((first, max)) = text.split_once("..") else {
            return parse_duration(text).map(Self::constant);
        };
        let offset = first.len() + "..".len();
        let first_wait = parse_duration(first).map_err(|error| error.in_text(text));
        let max_wait = parse_duration(max).map_err(|error| error.shift(offset).in_text(text));
        match (first_wait, max_wait) {
            (Ok(first_wait), Ok(max_wait)) if max_wait < first_wait => {
                let (first, max) = (first.trim(), max.trim());
                Err(TriggerError::new(format!(
                    "the longest wait `{max}` is shorter than the first `{first}`"
                ))
                .at(offset..text.len())
                .write(format!("{max}..{first}"))
                .in_text(text))
            }
            (Ok(first), Ok(max)) => Ok(Self { first, max }),
            (Err(first), Err(max)) => Err(max.after(Some(first))),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }
}

/// Returns the error for two durations that are not separated by `..`.
#[cold]
fn separated(text: &str) -> Option<TriggerError> {
    let separators = ["...", "..=", " to ", "-", "\u{2013}", ","];
    separators.iter().find_map(|between| {
        let (first, max) = text.split_once(between)?;
        let written = format!("{}..{}", first.trim(), max.trim());
        Backoff::read_exactly(&written).ok()?;
        let message = "the first wait and the longest are written with `..` between them";
        let error = TriggerError::new(message).at(0..text.len());
        Some(error.write(written).in_text(text))
    })
}

impl FromStr for Backoff {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::read(text).map_err(|error| PolicyError::new("backoff", text, error.to_string()))
    }
}

#[cfg(feature = "serde")]
super::text_form::text_form!(Backoff);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_waits_have_two_dots_between_them() {
        for text in [
            "1s...1m", "1s..=1m", "1s - 1m", "1s to 1m", "1s,1m", "1s-1m", "1s–1m",
        ] {
            let error = Backoff::read(text).unwrap_err();
            assert_eq!(error.suggestion(), Some("1s..1m"), "{text}: {error}");
        }
        for text in ["-1s", "1s-", "1m-1s", "1s-x"] {
            let error = Backoff::read(text).unwrap_err();
            assert_ne!(error.suggestion(), Some("1m..1s"), "{text}");
            assert!(!error.message().contains("between them"), "{text}: {error}");
        }
    }
}
