//! Where records are kept.

use super::contents::Records;
use super::record::RecordChange;
use crate::store::StoreError;

/// Keeps the records of a [`RecordStore`](super::RecordStore): in files, in a key-value store, in a database.
///
/// # Contract
/// - A write is all or nothing: after a crash, a load returns the records as they were before it or after it.
/// - A write that was answered with `Ok` is kept. One that failed may have been carried out or not: the store loads the
///   records again before it goes on.
/// - A write whose future was dropped, or that failed, is not carried out after a later load was answered.
/// - One `RecordStore` uses the storage at a time. A storage that others could open locks it.
/// - Nothing is deleted because it cannot be read. A load that meets an unreadable record fails.
///
/// Calls come one after the other. They may block for as long as a write to a local disk takes; what takes longer
/// awaits.
pub trait Storage: Send + 'static {
    /// Loads all records. Called at the opening, and after a write that failed or was given up.
    ///
    /// # Errors
    /// The storage cannot be reached or read.
    fn load(&mut self) -> impl Future<Output = Result<Records, StoreError>> + Send;

    /// Writes changes, in their order, all or none. `after` has all records as they are with these changes, for a
    /// storage that writes everything anew, always or now and then.
    ///
    /// # Errors
    /// The storage cannot be reached or written.
    fn write(
        &mut self,
        changes: &[RecordChange],
        after: &Records,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
