//! Where records are stored.

use super::contents::Records;
use super::record::RecordChange;
use crate::store::StoreError;

/// Stores the records of a [`RecordStore`](super::RecordStore): in files, in a key-value store or in a database.
///
/// # Contract
/// - A write is all or nothing: after a crash, a load returns the records as they were before or after it.
/// - A write that returned `Ok` is durable. One that failed may or may not have been carried out: the store loads the
///   records again before it continues.
/// - A write that failed or whose future was dropped is not carried out after a later load has returned.
/// - Only one `RecordStore` uses the storage at a time. A storage that others could open must lock it.
/// - Nothing is deleted because it cannot be read. A load that encounters an unreadable record fails.
///
/// Calls come one after another. They may block for as long as a write to a local disk takes; anything slower must
/// await.
pub trait Storage: Send + 'static {
    /// Loads all records. Called when the store is opened, and after a write that failed or was abandoned.
    ///
    /// # Errors
    /// Returns an error if the storage cannot be reached or read.
    fn load(&mut self) -> impl Future<Output = Result<Records, StoreError>> + Send;

    /// Writes changes, in order, all or none. `after` contains all records with these changes applied, for a storage
    /// that rewrites everything, always or occasionally.
    ///
    /// # Errors
    /// Returns an error if the storage cannot be reached or written.
    fn write(
        &mut self,
        changes: &[RecordChange],
        after: &Records,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
