//! How long a failed run waits before its next attempt.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use scheduler_triggers::{format_duration, parse_duration};
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// How long a failed run waits before its next attempt: doubling from `first` up to `max`.
///
/// Its text is `1s..1m`, the default, or `5s` for always the same.
///
/// ```
/// use scheduler_core::Backoff;
/// use std::time::Duration;
///
/// let backoff: Backoff = "1s..10s".parse()?;
/// let waits: Vec<_> = (1..=5).map(|failures| backoff.delay(failures).as_secs()).collect();
/// assert_eq!(waits, [1, 2, 4, 8, 10]);
/// assert_eq!(Backoff::constant(Duration::from_secs(5)), "5s".parse()?);
/// # Ok::<(), scheduler_core::PolicyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Backoff {
    first: Duration,
    max: Duration,
}

impl Backoff {
    /// Waits the same each time.
    pub const fn constant(wait: Duration) -> Self {
        Self {
            first: wait,
            max: wait,
        }
    }

    /// Waits twice as long each time, from `first` up to `max` (`first` if that is longer).
    pub const fn exponential(first: Duration, max: Duration) -> Self {
        let max = if max.as_nanos() < first.as_nanos() {
            first
        } else {
            max
        };
        Self { first, max }
    }

    /// Returns the first wait and the longest one.
    pub(super) const fn bounds(self) -> (Duration, Duration) {
        (self.first, self.max)
    }

    /// Returns the wait after so many failures in a row (from 1).
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

impl FromStr for Backoff {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let parse = |part: &str| {
            parse_duration(part)
                .map_err(|error| PolicyError::new("backoff", text, error.to_string()))
        };
        let Some((first, max)) = text.split_once("..") else {
            return Ok(Self::constant(parse(text)?));
        };
        let (first, max) = (parse(first)?, parse(max)?);
        if max < first {
            return Err(PolicyError::new(
                "backoff",
                text,
                "the longest wait is shorter than the first: write the shorter one first, as in `1s..1m`",
            ));
        }
        Ok(Self { first, max })
    }
}

impl TryFrom<String> for Backoff {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}

impl From<Backoff> for String {
    fn from(value: Backoff) -> Self {
        value.to_string()
    }
}
