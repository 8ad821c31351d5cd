//! How a case ends: passed, left out or failed.

use std::fmt;

use scheduler_core::store::StoreError;

/// How a case that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store keeps this part of its contract.
    Passed,
    /// The case needs something that the [`Subject`](crate::Subject) did not declare; this names it.
    LeftOut(&'static str),
}

/// The error of [`run_case`](crate::run_case): the store breaks its contract.
///
/// Its `Debug` output is its `Display` output, so that a test that returns it is readable.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseFailure {
    /// The name of the case.
    pub case: String,
    /// What was expected and what was found.
    pub problem: String,
}

impl fmt::Display for CaseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.problem)
    }
}

impl fmt::Debug for CaseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CaseFailure {}

/// The reason why a case stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    LeftOut(&'static str),
    Failed(String),
}

/// What a case returns.
pub(crate) type Done<T = ()> = Result<T, Stop>;

impl Stop {
    #[track_caller]
    pub(crate) fn failed(problem: impl fmt::Display) -> Self {
        let place = std::panic::Location::caller();
        Self::Failed(format!("{problem} ({}:{})", place.file(), place.line()))
    }
}

/// A call that should have succeeded failed, or one of the suite's own samples is wrong.
impl From<StoreError> for Stop {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        Self::failed(format_args!("a call failed: {error}"))
    }
}

impl From<scheduler_core::Error> for Stop {
    #[track_caller]
    fn from(error: scheduler_core::Error) -> Self {
        Self::failed(error)
    }
}

impl From<scheduler_core::triggers::TriggerError> for Stop {
    #[track_caller]
    fn from(error: scheduler_core::triggers::TriggerError) -> Self {
        Self::failed(error)
    }
}

impl From<serde_json::Error> for Stop {
    #[track_caller]
    fn from(error: serde_json::Error) -> Self {
        Self::failed(error)
    }
}

impl From<tokio::task::JoinError> for Stop {
    #[track_caller]
    fn from(error: tokio::task::JoinError) -> Self {
        Self::failed(error)
    }
}

/// Fails the case unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::failure::Stop::failed(format!($($text)+)));
        }
    };
}

/// Fails the case unless the two values are equal.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr, $($text:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if *found != *expected {
                    return Err($crate::failure::Stop::failed(format!(
                        "{}: expected {expected:?}, found {found:?}",
                        format!($($text)+)
                    )));
                }
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq};
