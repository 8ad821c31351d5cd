//! Small processes that end a server when it is no longer used.
//!
//! They outlive the tests, even killed ones, and rely on no process ids, which may be reused.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Waits for the end of its input, then stops the server and removes its folder.
const TIED: &str = r#"
folder=$1
shift
cat >/dev/null
"$@"
# Whatever made files there when the process was killed ends soon, too.
rm -rf "$folder" || { sleep 5; rm -rf "$folder"; }
"#;

/// Runs a program until it or the input ends, then removes its folder. As long as the folder exists, the program's id
/// has not been reused.
const CARRIED: &str = r#"
folder=$1
shift
exec 3<&0
"$@" </dev/null >"$folder/log" 2>&1 3<&- &
program=$!
(
    cat <&3 >/dev/null
    [ -d "$folder" ] && kill -TERM $program
    sleep 0.2
    [ -d "$folder" ] && kill -KILL $program
) &
wait $program
rm -rf "$folder"
"#;

/// Stops the server and removes its folder when heartbeats have been missing for a while.
///
/// First the server is removed from the list, then the heartbeat is checked once more; a process that uses the server
/// first sends a heartbeat, then checks that the server is still listed. So at least one of the two notices the
/// other.
const WATCH: &str = r#"
folder=$1 listed=$2 idle=$3
shift 3
while [ -d "$folder" ]; do
    : >"$folder/watched"
    sleep "$idle"
    [ "$folder/heartbeat" -nt "$folder/watched" ] && continue
    grep -qxF "$folder" "$listed" && rm -f "$listed"
    [ "$folder/heartbeat" -nt "$folder/watched" ] || break
done
"$@"
rm -rf "$folder"
"#;

/// Ties a server to this process: it ends when the child's input is closed, however this process ends.
pub(super) fn tie(folder: &Path, stop: &[OsString]) -> Child {
    shell(TIED)
        .arg(folder)
        .args(stop)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs a program that ends when the child's input is closed, however this process ends.
pub(crate) fn carry(folder: &Path, words: &[OsString]) -> Child {
    shell(CARRIED)
        .arg(folder)
        .args(words)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Keeps a server running as long as there are heartbeats.
#[expect(
    clippy::zombie_processes,
    reason = "it ends long after whoever started it"
)]
pub(super) fn watch(folder: &Path, listed: &Path, idle: Duration, stop: &[OsString]) {
    shell(WATCH)
        .arg(folder)
        .arg(listed)
        .arg(idle.as_secs().to_string())
        .args(stop)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script, "lifeline"])
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Test runners kill the whole process group of a test.
        .process_group(0);
    command
}
