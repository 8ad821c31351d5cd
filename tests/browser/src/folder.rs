//! Unique folders in the system's folder for temporary files.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

/// Creates an empty, unique folder. The caller removes it.
pub(crate) fn create(what: &str) -> PathBuf {
    // The hash keys of the standard library's maps are random in every process.
    let number = RandomState::new().hash_one(std::process::id());
    let folder = std::env::temp_dir().join(format!("scheduler-browser-{what}-{number:016x}"));
    std::fs::create_dir(&folder).unwrap();
    folder
}
