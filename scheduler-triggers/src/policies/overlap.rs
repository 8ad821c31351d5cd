//! What happens to a fire time when the job is at its `max_instances`.

use std::fmt;
use std::str::FromStr;

use super::PolicyError;

/// What happens to a fire time when the job is at its `max_instances`.
///
/// Its text is `skip` (the default), `queue`, `queue(5)` or `cancel_running`.
///
/// ```
/// use scheduler_triggers::policies::Overlap;
///
/// assert_eq!("queue(5)".parse(), Ok(Overlap::Queue(5)));
/// assert_eq!("queue".parse(), Ok(Overlap::Queue(Overlap::QUEUE_DEFAULT)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overlap {
    /// It is skipped with the reason `overlap`.
    #[default]
    Skip,
    /// It is queued until a slot is free, with at most this many runs in the queue.
    Queue(u32),
    /// The oldest live run is cancelled; the newest fire time starts when that run has ended. Of several fire times
    /// that are due at once, the newest take the free slots, and the others are skipped with the reason `overlap`.
    CancelRunning,
}

impl Overlap {
    /// The number for `queue` without a number.
    pub const QUEUE_DEFAULT: u32 = 1;
    /// The largest number in `queue(n)`.
    pub const QUEUE_MAX: u32 = 10_000;
    /// The words of its texts, without numbers.
    pub const WORDS: [&'static str; 3] = ["skip", "queue", "cancel_running"];
    /// Its texts, as part of a sentence.
    pub const FORMS: &'static str =
        "`skip`, `queue`, `queue(n)` with n from 1 to 10000, or `cancel_running`";
}

impl Overlap {
    /// Checks the number: a variant can contain any number, a text cannot.
    #[doc(hidden)]
    pub fn check(self) -> Result<(), PolicyError> {
        match self {
            Self::Queue(count) if !(1..=Self::QUEUE_MAX).contains(&count) => Err(PolicyError::new(
                "overlap",
                self.to_string(),
                format!("write {}", Self::FORMS),
            )),
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
                .ok_or_else(|| PolicyError::new("overlap", text, format!("write {}", Self::FORMS)))
                .and_then(|parsed| parsed.check().map(|()| parsed)),
        }
    }
}

#[cfg(feature = "serde")]
super::text_form::text_form!(Overlap);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_parentheses_have_bounds() {
        assert_eq!("queue( 5 )".parse(), Ok(Overlap::Queue(5)));
        assert_eq!(" queue ".parse(), Ok(Overlap::Queue(1)));
        assert!("queue(0)".parse::<Overlap>().is_err());
        assert!("queue(10001)".parse::<Overlap>().is_err());
    }

    #[test]
    fn words_are_texts() {
        for word in Overlap::WORDS {
            assert!(word.parse::<Overlap>().is_ok(), "{word}");
            assert!(Overlap::FORMS.contains(&format!("`{word}`")), "{word}");
        }
    }
}
