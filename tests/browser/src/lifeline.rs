//! Ends a program with everything that it started, and removes its folder, when it is no longer used.
//!
//! A small process waits for the end of the test. It outlives the test, even a killed one.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Waits for the end of its input, then ends a process group, if there is one, and removes a folder.
///
/// While the test is running, the number of the group is not reused: its first process is a child of the test, which
/// has not waited for it.
const WATCH: &str = r#"
cat >/dev/null
[ -z "$1" ] || kill -KILL "-$1" 2>/dev/null
# Whatever made files there when it was killed ends soon, too.
rm -rf "$2" 2>/dev/null || { sleep 1; rm -rf "$2"; }
"#;

fn watch(group: &str, folder: &Path) -> Child {
    Command::new("/bin/sh")
        .args(["-c", WATCH, "lifeline", group])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Test runners kill the whole process group of a test.
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Closes the input of a process and waits for its end.
fn finish(watch: &mut Child) {
    drop(watch.stdin.take());
    let _ = watch.wait();
}

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct TiedFolder {
    path: PathBuf,
    watch: Child,
}

impl TiedFolder {
    /// Ties a folder to the lifetime of this process.
    pub(crate) fn new(path: PathBuf) -> Self {
        let watch = watch("", &path);
        Self { path, watch }
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TiedFolder {
    fn drop(&mut self) {
        finish(&mut self.watch);
    }
}

/// A program that ends, together with its process group and its folder, when this is dropped.
#[derive(Debug)]
pub(crate) struct Tied {
    program: Child,
    watch: Child,
}

impl Tied {
    /// Starts a program in its own process group, which uses this folder for everything.
    pub(crate) fn start(program: &Path, arguments: &[impl AsRef<OsStr>], folder: &Path) -> Self {
        let program = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .env("TZ", "UTC")
            .env("LANGUAGE", "en")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let watch = watch(&program.id().to_string(), folder);
        Self { program, watch }
    }

    /// Returns the program's output; only once.
    pub(crate) fn output(&mut self) -> Option<ChildStdout> {
        self.program.stdout.take()
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        finish(&mut self.watch);
        let _ = self.program.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;
    use crate::folder;

    #[test]
    fn what_a_program_started_ends_with_it() {
        let folder = folder::create("lifeline");
        let script = "sleep 600 & echo $!; sleep 600";
        let mut tied = Tied::start(Path::new("/bin/sh"), &["-c", script], &folder);
        let mut line = String::new();
        let mut output = BufReader::new(tied.output().unwrap());
        output.read_line(&mut line).unwrap();
        assert!(folder.exists());
        drop(tied);
        // The pipe closes when the last process of the group has ended.
        assert_eq!(output.read_line(&mut line).unwrap(), 0);
        assert!(!folder.exists());
    }
}
