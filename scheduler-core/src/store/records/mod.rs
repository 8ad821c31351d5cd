//! A store for a single process that leaves only loading and writing records to the implementor.
//!
//! For authors of stores. [`RecordStore`] implements all of [`Store`](super::Store) and [`History`](super::History)
//! over a [`Storage`], which has two methods: one loads all [`Records`], the other writes a list of changes, all or
//! none.
//! `docs/writing-a-store.md` in the repository walks through a storage that appends each write to a file.
//!
//! Records implement serde's traits. Later versions of this crate can read what an earlier one has written. A call
//! that inserts or edits a job fails if the job could not be read back from its JSON: an argument value may be nested
//! more deeply than parsers accept.
//!
//! # Costs
//!
//! All records are in memory. A call looks them up there and waits for at most one write, of the records that it
//! changed: a claim writes each due job and its runs, and an end writes one run. The calls of one store are carried
//! out one after another, so the duration of a write limits the number of calls per second.
//!
//! | what | goes through |
//! | --- | --- |
//! | [`claim`](super::Store::claim) | the jobs that have queued or live runs, and those that are due |
//! | [`list_runs`](super::History::list_runs) | runs, the newest first, until a page is full |
//! | [`repair`](super::Store::repair) at the start, [`prune`](super::History::prune) once a minute | all records |
//! | [`load`](Storage::load) at the opening, and after a write that failed | all records, as the storage has them |
//!
//! So this is a store for a single process with up to some ten thousand jobs and [as many ended
//! runs](RecordStore::keep_runs).
//!
//! # Example
//!
//! A storage that writes all records into one file each time, which is enough for a few hundred of them:
//!
//! ```
//! use std::path::PathBuf;
//!
//! use scheduler_core::prelude::*;
//! use scheduler_core::store::StoreError;
//! use scheduler_core::store::records::{RecordChange, RecordStore, Records, Storage};
//! use scheduler_core::{Clock, SystemClock};
//!
//! struct OneFile(PathBuf);
//!
//! impl Storage for OneFile {
//!     async fn load(&mut self) -> Result<Records, StoreError> {
//!         if !self.0.exists() {
//!             return Ok(Records::default());
//!         }
//!         let json = std::fs::read(&self.0).map_err(StoreError::new)?;
//!         serde_json::from_slice(&json).map_err(StoreError::new)
//!     }
//!
//!     async fn write(&mut self, _: &[RecordChange], after: &Records) -> Result<(), StoreError> {
//!         let json = serde_json::to_vec(after).map_err(StoreError::new)?;
//!         let new = self.0.with_extension("new");
//!         std::fs::write(&new, json).map_err(StoreError::new)?;
//!         std::fs::rename(&new, &self.0).map_err(StoreError::new) // all or nothing
//!     }
//! }
//!
//! #[task]
//! async fn water_plants() {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = std::env::temp_dir().join(format!("water-plants-{}.json", std::process::id()));
//! for start in 0..2 {
//!     let store = RecordStore::open(OneFile(file.clone()), SystemClock.now()).await?;
//!     let scheduler = Scheduler::builder().without_static_jobs().store(store).start().await?;
//!     assert_eq!(scheduler.get_jobs().await?.len(), start); // the job is still there
//!     scheduler.add_job(water_plants::job().id("plants").interval("1h").replace_existing(true)).await?;
//!     scheduler.shutdown(Shutdown::wait()).await;
//! }
//! # std::fs::remove_file(file)?;
//! # Ok(())
//! # }
//! ```

mod claim;
mod contents;
mod history;
mod jobs;
mod record;
mod record_store;
mod runs;
mod storage;
mod stored_run;
mod transaction;

pub use contents::Records;
pub use record::{Record, RecordChange, RecordKey};
pub use record_store::RecordStore;
pub use storage::Storage;
pub use stored_run::StoredRun;
