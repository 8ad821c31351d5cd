//! One record: a job, a run, or skipped fire times.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::stored_run::StoredRun;
use crate::id::{JobId, RunId};
use crate::job_record::JobRecord;
use crate::skipped::Skipped;

/// A record that a [`Storage`](super::Storage) keeps under a [key](Self::key).
///
/// ```
/// use chrono::DateTime;
/// use scheduler_core::store::records::{Record, RecordKey, StoredRun};
/// use scheduler_core::{JobId, Run, RunId, RunKind};
///
/// let (id, job) = (RunId::from_u128(1), JobId::new("import")?);
/// let run = Run::queued(id, job, "import".into(), RunKind::Manual, DateTime::UNIX_EPOCH);
/// let record = Record::Run(StoredRun::new(run));
/// assert_eq!(record.key(), RecordKey::Run(id));
/// assert_eq!(record.key().to_string(), "run/00000000-0000-0000-0000-000000000001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A job.
    Job(JobRecord),
    /// A run.
    Run(StoredRun),
    /// Skipped fire times.
    Skipped {
        /// Their number: later records have greater numbers.
        number: u64,
        /// The record.
        skipped: Skipped,
    },
}

/// The key of a [`Record`]. Its text is `job/<id>`, `run/<id>` or `skipped/<number>`. The id of a job is written
/// verbatim and may contain any printable character.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKey {
    /// A job.
    Job(JobId),
    /// A run.
    Run(RunId),
    /// Skipped fire times, by their number.
    Skipped(u64),
}

/// A change of one record. A [`Storage`](super::Storage) writes several of them at once.
///
/// ```
/// use scheduler_core::store::records::{RecordChange, RecordKey};
///
/// let change = RecordChange::Remove(RecordKey::Skipped(7));
/// assert_eq!(serde_json::to_string(&change)?, r#"{"remove":{"skipped":7}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "most changes put a record, and storages match on it: a box would cost more than it saves"
)]
pub enum RecordChange {
    /// Stores a record, replacing the one under its key if there is one.
    Put(Record),
    /// Deletes the record with this key.
    Remove(RecordKey),
}

impl Record {
    /// Returns the key of the record.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Job(job) => RecordKey::Job(job.id.clone()),
            Self::Run(stored) => RecordKey::Run(stored.run.id),
            Self::Skipped { number, .. } => RecordKey::Skipped(*number),
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(id) => write!(f, "job/{id}"),
            Self::Run(id) => write!(f, "run/{id}"),
            Self::Skipped(number) => write!(f, "skipped/{number}"),
        }
    }
}
