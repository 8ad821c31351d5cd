//! The location of the server's programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the folder of the server's programs: the one that `POSTGRES_PROGRAMS` names, if it is set; otherwise the
/// one in `PATH`, or the newest installed version.
pub(super) fn folder() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("POSTGRES_PROGRAMS") {
        return Some(PathBuf::from(given)).filter(|folder| is_complete(folder));
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain(versions(Path::new("/usr/lib/postgresql")))
        .chain(told_by_pg_config())
        .find(|folder| is_complete(folder))
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

/// Debian's folders, one per version, newest first.
fn versions(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn told_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let root = std::env::temp_dir().join(format!("versions-{}", std::process::id()));
        for name in ["9", "16", "15", "common"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let found = versions(&root);
        std::fs::remove_dir_all(&root).unwrap();
        let expected = ["16", "15", "9"].map(|name| root.join(name).join("bin"));
        assert_eq!(found, expected);
    }
}
