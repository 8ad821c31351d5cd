//! The error text of a failed attempt.

use std::error::Error;
use std::fmt::{self, Write as _};

/// The maximum length of a stored error text, in bytes.
pub(crate) const MAX_ERROR_BYTES: usize = 8 * 1024;

/// The error text of a failed attempt: the error and its sources, at most 8 KiB.
///
/// The error type of [`FromContext::from_context`](crate::FromContext::from_context). A task itself may return any
/// error.
///
/// ```
/// use scheduler_core::TaskFailure;
///
/// assert_eq!(TaskFailure::new("no tenant").to_string(), "no tenant");
/// assert!(TaskFailure::new("x".repeat(10_000)).to_string().ends_with(" … (cut)"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailure(Box<str>);

impl TaskFailure {
    /// Creates a failure from a text. A text longer than 8 KiB is truncated and marked as such.
    pub fn new(text: impl Into<String>) -> Self {
        Self(bounded(text.into()).into_boxed_str())
    }

    /// Collects an error and the chain of its sources.
    pub(crate) fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Many errors repeat their source in their own text.
            if !text.contains(&cause_text) {
                let _ = write!(text, ": {cause_text}");
            }
            if text.len() > MAX_ERROR_BYTES {
                break;
            }
            source = cause.source();
        }
        Self::new(text)
    }

    pub(crate) fn into_text(self) -> Box<str> {
        self.0
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for TaskFailure {}

/// The mark at the end of a truncated text.
const MARK: &str = " … (cut)";

fn bounded(mut text: String) -> String {
    if text.len() > MAX_ERROR_BYTES {
        cut(&mut text, MAX_ERROR_BYTES - MARK.len());
    }
    text
}

fn cut(text: &mut String, at: usize) {
    text.truncate(text.floor_char_boundary(at));
    text.push_str(MARK);
}

/// Returns `true` if this text is truncated.
pub(crate) fn is_cut(text: &str) -> bool {
    text.ends_with(MARK)
}

/// Removes the last bytes of a truncated text: what begins in them may have continued after the cut.
pub(crate) fn without_end(text: &mut String, bytes: usize) {
    let whole = text.strip_suffix(MARK).unwrap_or(text).len();
    cut(text, whole.saturating_sub(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bad count")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_chain_of_sources_is_kept() {
        let error = Outer("x".parse::<i32>().unwrap_err());
        assert_eq!(
            TaskFailure::from_error(&error).to_string(),
            "bad count: invalid digit found in string"
        );
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let text = "é".repeat(MAX_ERROR_BYTES);
        let failure = TaskFailure::new(text);
        assert!(failure.0.len() <= MAX_ERROR_BYTES);
        assert!(failure.0.ends_with("(cut)"));
    }
}
