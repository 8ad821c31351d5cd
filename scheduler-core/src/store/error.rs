//! Errors of store calls.

use std::fmt;
use std::pin::Pin;

/// The reason why a store call failed. The scheduler backs off, reports the error and tries again.
///
/// ```
/// use scheduler_core::store::StoreError;
///
/// let error = StoreError::new("the disk is full");
/// assert_eq!(error.to_string(), "the disk is full");
/// ```
#[derive(Debug)]
pub struct StoreError {
    source: Box<dyn std::error::Error + Send + Sync>,
    kind: ErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    Failed,
    Unreachable,
    Fenced,
}

impl StoreError {
    /// Wraps the store's own error, or a text.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: error.into(),
            kind: ErrorKind::Failed,
        }
    }

    /// Wraps the error of a store that cannot be reached or does not answer, so that every call would wait in vain.
    /// Calls of handles then fail at once until the driver has reached the store.
    ///
    /// ```
    /// use scheduler_core::store::StoreError;
    ///
    /// assert!(StoreError::unreachable("connection refused").is_unreachable());
    /// assert!(!StoreError::new("the disk is full").is_unreachable());
    /// ```
    pub fn unreachable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: error.into(),
            kind: ErrorKind::Unreachable,
        }
    }

    /// Returns `true` if the store cannot be reached or does not answer.
    pub fn is_unreachable(&self) -> bool {
        self.kind == ErrorKind::Unreachable
    }

    /// Creates the error for a node that no longer holds a lease. The call has changed nothing. The driver stops its
    /// runs and joins under a new identity.
    pub fn fenced() -> Self {
        Self {
            source: "the lease of this node has run out".into(),
            kind: ErrorKind::Fenced,
        }
    }

    /// Returns `true` if the calling node no longer holds a lease.
    pub fn is_fenced(&self) -> bool {
        self.kind == ErrorKind::Fenced
    }

    /// Returns the store's own error.
    pub fn into_source(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.source
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl std::error::Error for StoreError {}

/// The return type of store calls: a boxed future, so that stores of different types can be used together.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;
