//! Folders that nothing else uses, in the system's folder for temporary files.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

/// An empty folder of its own. Its creator removes it.
pub(crate) fn create(what: &str) -> PathBuf {
    // Keys of the standard library's maps are random in every process.
    let number = RandomState::new().hash_one(std::process::id());
    let folder = std::env::temp_dir().join(format!("scheduler-browser-{what}-{number:016x}"));
    std::fs::create_dir(&folder).unwrap();
    folder
}
