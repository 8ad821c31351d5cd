//! Redacting error texts before they are stored.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::run::AttemptOutcome;
use crate::task::failure::{self, TaskFailure};

/// The function of [`Builder::redact`](crate::Builder::redact), if there is one.
#[derive(Clone, Default)]
pub(crate) struct Redaction(Option<Arc<Redact>>);

type Redact = dyn Fn(&str) -> String + Send + Sync;

/// Stored in place of an error whose redaction panicked, because the text itself might contain a secret.
const WITHHELD: &str = "the error is withheld, because `.redact(…)` panicked on its text";

/// The number of bytes removed from the end of a truncated text: a secret may have been cut in two, and its first
/// half would not be recognized.
const LONGEST_SECRET: usize = 256;

impl Redaction {
    pub(crate) fn new(redact: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(redact)))
    }

    /// Redacts the outcome of an attempt. Values of successful attempts are not error texts and are left unchanged.
    pub(crate) fn apply(&self, outcome: AttemptOutcome) -> AttemptOutcome {
        let Some(redact) = &self.0 else {
            return outcome;
        };
        let redacted = |text: Box<str>| {
            let was_cut = failure::is_cut(&text);
            let text = catch_unwind(AssertUnwindSafe(|| redact(&text)));
            let mut text = text.unwrap_or_else(|payload| {
                // The payload comes from the user and may panic when it is dropped.
                drop(crate::panic::panic_text(payload));
                WITHHELD.to_owned()
            });
            if was_cut && text != WITHHELD {
                failure::without_end(&mut text, LONGEST_SECRET);
            }
            TaskFailure::new(text).into_text()
        };
        match outcome {
            AttemptOutcome::Failed(text) => AttemptOutcome::Failed(redacted(text)),
            AttemptOutcome::Panicked(text) => AttemptOutcome::Panicked(redacted(text)),
            AttemptOutcome::GaveUp(text) => AttemptOutcome::GaveUp(redacted(text)),
            AttemptOutcome::Succeeded(_)
            | AttemptOutcome::TimedOut(_)
            | AttemptOutcome::Cancelled(_) => outcome,
        }
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = self.0.is_some();
        f.debug_tuple("Redaction").field(&is_set).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_passwords() -> Redaction {
        Redaction::new(|text| text.replace("hunter2", "***"))
    }

    #[test]
    fn every_error_text_is_redacted() {
        for make in [
            AttemptOutcome::Failed,
            AttemptOutcome::Panicked,
            AttemptOutcome::GaveUp,
        ] {
            let outcome = without_passwords().apply(make("postgres://app:hunter2@db".into()));
            let error = outcome.error().unwrap().into_owned();
            assert!(error.contains("app:***@db"), "{error}");
        }
    }

    #[test]
    fn first_half_of_a_truncated_password_is_removed() {
        for before in 8_170..8_200 {
            let text = format!("{}hunter2@db and so on and on", "x".repeat(before));
            let failed = AttemptOutcome::Failed(TaskFailure::new(text).into_text());
            let AttemptOutcome::Failed(kept) = without_passwords().apply(failed) else {
                panic!("it stays a failure");
            };
            assert!(!kept.contains('h'), "{before}: {}", &kept[7_900..]);
            assert!(kept.len() > 7_000 && kept.ends_with(" … (cut)"));
        }
    }

    #[test]
    fn text_whose_redaction_panics_is_withheld() {
        let broken = Redaction::new(|_| panic!("no"));
        let outcome = broken.apply(AttemptOutcome::Failed("hunter2".into()));
        assert_eq!(outcome.error().as_deref(), Some(WITHHELD));
    }

    #[test]
    fn nothing_is_redacted_without_a_function() {
        let outcome = Redaction::default().apply(AttemptOutcome::Failed("hunter2".into()));
        assert_eq!(outcome.error().as_deref(), Some("hunter2"));
    }
}
