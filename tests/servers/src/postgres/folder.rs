//! Folders for clusters, in the system's folder for temporary files.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::account::{self, Account};

/// Returns the folder of this user and this workspace, which contains the clusters' folders.
///
/// The account must be able to reach it: `TMPDIR` may be closed to anyone but its owner.
pub(crate) fn root(account: &Account) -> PathBuf {
    let own = std::env::temp_dir();
    [own.as_path(), Path::new("/tmp"), Path::new("/var/tmp")]
        .into_iter()
        .filter_map(root_in)
        .find(|root| {
            let probe = root.join(name("probe"));
            let reached = std::fs::create_dir(&probe).is_ok() && account.take(&probe);
            let _ = std::fs::remove_dir(&probe);
            reached
        })
        .expect("a folder for temporary files that PostgreSQL can write to; set TMPDIR")
}

fn root_in(parent: &Path) -> Option<PathBuf> {
    let user = account::user();
    let workspace = fnv(env!("CARGO_MANIFEST_DIR").as_bytes());
    let root = parent.join(format!("scheduler-tests-{user}-{workspace:016x}"));
    let _ = std::fs::DirBuilder::new().mode(0o755).create(&root);
    // The name is predictable, so the folder must not belong to another user.
    let found = std::fs::symlink_metadata(&root).ok()?;
    if !found.is_dir() || found.uid() != user {
        return None;
    }
    std::fs::set_permissions(&root, PermissionsExt::from_mode(0o755)).ok()?;
    Some(root)
}

/// Creates a separate folder for a cluster of this account.
pub(crate) fn create(root: &Path, account: &Account) -> PathBuf {
    let folder = root.join(name("cluster"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    assert!(
        account.take(&folder),
        "PostgreSQL cannot write to {}",
        folder.display()
    );
    folder
}

/// Returns a unique name.
pub(super) fn name(what: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The hash keys of the standard library's maps are random in every process.
    let seed = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{what}_{:016x}", RandomState::new().hash_one(seed))
}

/// FNV-1a: stable across builds, unlike the standard library's hash.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
