//! What happens to a fire time when the job is at its `max_instances`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// What happens to a fire time when the job is at its `max_instances`.
///
/// Its text is `skip` (the default), `queue`, `queue(5)` or `cancel_running`.
///
/// ```
/// use scheduler_core::Overlap;
///
/// assert_eq!("queue(5)".parse(), Ok(Overlap::Queue(5)));
/// assert_eq!("queue".parse(), Ok(Overlap::Queue(Overlap::QUEUE_DEFAULT)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Overlap {
    /// It is skipped with the reason `overlap`.
    #[default]
    Skip,
    /// It waits, with at most so many others, until a slot is free.
    Queue(u32),
    /// The oldest live run is asked to stop; the newest fire time starts when it has ended.
    CancelRunning,
}

impl Overlap {
    /// How many `queue` means when no number is given.
    pub const QUEUE_DEFAULT: u32 = 1;
    /// The greatest number in `queue(n)`.
    pub const QUEUE_MAX: u32 = 10_000;
}

/// What to write instead of what cannot be taken.
const FORMS: &str = "write `skip`, `queue`, `queue(n)` with n from 1 to 10000, or `cancel_running`";

impl Overlap {
    /// A variant can be made with any count; a text cannot.
    pub(super) fn check(self) -> Result<(), PolicyError> {
        match self {
            Self::Queue(count) if !(1..=Self::QUEUE_MAX).contains(&count) => {
                Err(PolicyError::new("overlap", self.to_string(), FORMS))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => f.write_str("skip"),
            Self::Queue(count) => write!(f, "queue({count})"),
            Self::CancelRunning => f.write_str("cancel_running"),
        }
    }
}

impl FromStr for Overlap {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text.trim() {
            "skip" => Ok(Self::Skip),
            "queue" => Ok(Self::Queue(Self::QUEUE_DEFAULT)),
            "cancel_running" => Ok(Self::CancelRunning),
            other => other
                .strip_prefix("queue(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|count| count.trim().parse().ok())
                .map(Self::Queue)
                .ok_or_else(|| PolicyError::new("overlap", text, FORMS))
                .and_then(|parsed| parsed.check().map(|()| parsed)),
        }
    }
}

impl TryFrom<String> for Overlap {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}

impl From<Overlap> for String {
    fn from(value: Overlap) -> Self {
        value.to_string()
    }
}
