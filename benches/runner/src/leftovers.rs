//! What interrupted runs have left behind: servers, databases, generated projects.

use std::path::Path;
use std::process::Command;

/// The prefix of everything that a run creates in a temporary folder, followed by its process id.
pub const PREFIX: &str = "scheduler-benches-";
/// What follows the prefix for a server.
pub const SERVER: &str = "postgres-";

/// Removes what belongs to runs that have ended.
pub fn remove() {
    for folder in [Path::new("/var/tmp"), &std::env::temp_dir()] {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(process) = process_of(&name) else {
                continue;
            };
            if Path::new("/proc").join(process).exists() {
                continue;
            }
            let path = entry.path();
            stop_server(&path.join("data"));
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
    }
}

/// Returns the process id in a name, if a run created the file or folder.
fn process_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PREFIX)?;
    let rest = rest.strip_prefix(SERVER).unwrap_or(rest);
    let end = rest
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// Stops a server that outlived its interrupted run.
fn stop_server(data: &Path) {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let process = text.lines().next().unwrap_or_default().trim();
    let works_in = std::fs::read_link(Path::new("/proc").join(process).join("cwd"));
    if !process.is_empty() && works_in.is_ok_and(|folder| folder == data) {
        let _ = Command::new("kill").args(["-QUIT", process]).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_they_are() {
        assert_eq!(process_of("scheduler-benches-postgres-12"), Some("12"));
        assert_eq!(process_of("scheduler-benches-12.db-wal"), Some("12"));
        assert_eq!(process_of("scheduler-benches-12-hello-this"), Some("12"));
        assert_eq!(process_of("scheduler-benches-x"), None);
        assert_eq!(process_of("scheduler-12"), None);
    }
}
