//! What is wrong with a stored record.

use scheduler_core::triggers::TriggerError;

/// Why a stored record cannot be read: part of [`SqlError::Unreadable`](crate::SqlError::Unreadable).
///
/// The record may have been written by a newer version, or edited. Nothing is guessed: a number or a name that this
/// version does not know is never mistaken for one that it knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// The id of the job is invalid.
    #[error("its job's id: {0}")]
    JobId(#[source] Box<scheduler_core::Error>),
    /// The trigger.
    #[error("its trigger `{text}`: {source}")]
    Trigger {
        /// The trigger as it is stored.
        text: String,
        /// What is wrong with it.
        source: Box<TriggerError>,
    },
    /// The arguments.
    #[error("its arguments: {0}")]
    Arguments(#[source] serde_json::Error),
    /// The policies.
    #[error("its policies: {0}")]
    Policies(#[source] serde_json::Error),
    /// A static job has no hash of its definition.
    #[error("it is static and has no hash")]
    NoHash,
    /// The kind of a run is a number that this version does not know.
    #[error("its kind {0} is unknown to this version")]
    Kind(i16),
    /// The state of a run is a number that this version does not know.
    #[error("its state {0} is unknown to this version")]
    State(i16),
    /// The reason of a skipped fire time is a name that this version does not know.
    #[error("its reason `{0}` is unknown to this version")]
    Reason(String),
    /// The earlier attempts of a run.
    #[error("its earlier attempts: {0}")]
    EarlierAttempts(#[source] serde_json::Error),
    /// A number is not an instant.
    #[error("{0} microseconds since 1970 are out of range")]
    Instant(i64),
}

impl RecordProblem {
    pub(crate) fn job_id(error: scheduler_core::Error) -> Self {
        Self::JobId(Box::new(error))
    }
}
