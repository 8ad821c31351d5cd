//! A storage under test: what it loads must equal what was written.

use scheduler_core::store::StoreError;
use scheduler_core::store::records::{RecordChange, Records, Storage};

/// Checks a [`Storage`] while the suite runs on a [`RecordStore`](scheduler_core::store::records::RecordStore) over it.
///
/// The store keeps all records in memory, so a storage that loses some of them would go unnoticed. This wrapper loads
/// after every write, and the write fails unless the load returns what was written.
///
/// ```
/// use scheduler_core::store::StoreError;
/// use scheduler_core::store::records::{RecordChange, RecordStore, Records, Storage};
/// use scheduler_store_tests::{CheckedStorage, Subject, run_case};
///
/// struct Forgetful;
///
/// impl Storage for Forgetful {
///     async fn load(&mut self) -> Result<Records, StoreError> {
///         Ok(Records::default())
///     }
///
///     async fn write(&mut self, _: &[RecordChange], _: &Records) -> Result<(), StoreError> {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = "2026-01-01T00:00:00Z".parse()?;
/// let store = RecordStore::open(CheckedStorage::new(Forgetful), now).await?;
/// let failed = run_case("a_job_is_kept_as_it_was_inserted", Subject::new(store)).await;
/// assert!(failed.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CheckedStorage<S> {
    storage: S,
    loses_writes: bool,
    writes: usize,
}

/// The outcome of a write.
#[derive(Debug, PartialEq, Eq)]
enum Loss {
    Write,
    Answer,
    Nothing,
}

impl<S: Storage> CheckedStorage<S> {
    /// Wraps this storage.
    pub fn new(storage: S) -> Self {
        Self {
            storage,
            loses_writes: false,
            writes: 0,
        }
    }

    /// Makes some writes fail, alternately before and after they are carried out. For a subject that
    /// [loses answers](crate::Subject::losing_answers), whose calls are retried.
    #[must_use]
    pub fn losing_writes(mut self) -> Self {
        self.loses_writes = true;
        self
    }

    /// A retried call writes several times: unless losses are further apart than that, one call could lose all of its
    /// writes.
    fn next_loss(&mut self) -> Loss {
        self.writes += 1;
        match self.writes % 23 {
            2 if self.loses_writes => Loss::Write,
            13 if self.loses_writes => Loss::Answer,
            _ => Loss::Nothing,
        }
    }
}

impl<S: Storage> Storage for CheckedStorage<S> {
    async fn load(&mut self) -> Result<Records, StoreError> {
        self.storage.load().await
    }

    async fn write(&mut self, changes: &[RecordChange], after: &Records) -> Result<(), StoreError> {
        let loss = self.next_loss();
        if loss == Loss::Write {
            return Err(StoreError::new("the write was not carried out"));
        }
        self.storage.write(changes, after).await?;
        let loaded = self.storage.load().await?;
        if loaded != *after {
            return Err(StoreError::new(format!(
                "after a write of {changes:?}\nthere should be {after:?}\nand loaded is    {loaded:?}"
            )));
        }
        if loss == Loss::Answer {
            return Err(StoreError::new("the answer to the write was lost"));
        }
        Ok(())
    }
}
