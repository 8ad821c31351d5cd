//! One server for all tests of a run, even if each is a separate process.
//!
//! The first process that needs it starts it and lists it in a file, where the others find it. Every process that
//! uses it sends heartbeats; some time after the last heartbeat it is stopped and removed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::server::{Installation, Server};
use super::{folder, lifeline, sql};

/// How long an unused server is kept for the next test.
const IDLE: Duration = Duration::from_secs(120);
const BEAT: Duration = Duration::from_secs(5);

/// Returns the address of the shared server, or `None` if PostgreSQL is not installed.
pub(super) fn server() -> Option<String> {
    static SERVER: Mutex<Option<String>> = Mutex::new(None);
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if server.is_none() {
        let installation = Installation::find()?;
        let root = folder::root(&installation.account);
        let listed = acquire(&installation, &root, IDLE);
        keep_alive(listed.folder);
        *server = Some(listed.url);
    }
    server.clone()
}

/// A server as listed in the file.
#[derive(Debug, PartialEq)]
struct Listed {
    folder: PathBuf,
    url: String,
}

/// Returns the server that is listed in a folder, or starts and lists one.
fn acquire(installation: &Installation, root: &Path, idle: Duration) -> Listed {
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap();
    let list = root.join("server");
    if let Some(listed) = used(&list) {
        return listed;
    }
    let folder = folder::create(root, &installation.account);
    heartbeat(&folder);
    let mut server = Server::new(installation.clone(), &folder, &[]);
    lifeline::watch(&folder, &list, idle, &server.stop_words());
    server.create();
    server.start_anywhere();
    heartbeat(&folder);
    let url = server.url("postgres");
    let draft = root.join("server.draft");
    std::fs::write(&draft, format!("{}\n{url}\n", folder.display())).unwrap();
    std::fs::rename(&draft, &list).unwrap();
    Listed { folder, url }
}

/// Returns the listed server if it answers and will not stop, and sends it a heartbeat.
fn used(list: &Path) -> Option<Listed> {
    let listed = read(list)?;
    heartbeat(&listed.folder);
    // The heartbeat must precede the check; see the script that watches it.
    if read(list)? != listed {
        return None;
    }
    let data = sql::text(&listed.url, "SELECT current_setting('data_directory')").ok()?;
    // Another server may have taken its port.
    (Path::new(&data) == listed.folder.join("data")).then_some(listed)
}

fn read(list: &Path) -> Option<Listed> {
    let text = std::fs::read_to_string(list).ok()?;
    let (folder, url) = text.strip_suffix('\n')?.split_once('\n')?;
    Some(Listed {
        folder: folder.into(),
        url: url.to_owned(),
    })
}

fn heartbeat(folder: &Path) {
    // The folder may have been removed; then the heartbeat is not needed.
    let _ = std::fs::write(folder.join("heartbeat"), "");
}

/// Sends heartbeats as long as this process lives.
fn keep_alive(folder: PathBuf) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(BEAT);
            heartbeat(&folder);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::postgres::missing;

    #[test]
    fn a_server_is_shared_replaced_when_killed_and_gone_when_idle() {
        let Some(installation) = Installation::find() else {
            return missing();
        };
        let root = folder::root(&installation.account).join(folder::name("shared"));
        std::fs::create_dir(&root).unwrap();
        // Longer than a busy machine takes to create a cluster.
        let idle = Duration::from_secs(8);

        let first = acquire(&installation, &root, idle);
        assert_eq!(acquire(&installation, &root, idle), first);

        let pid = std::fs::read_to_string(first.folder.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-KILL", pid]).status().unwrap().success());
        let second = acquire(&installation, &root, idle);
        assert_ne!(second, first);

        let started = Instant::now();
        while started.elapsed() < idle + idle / 2 {
            std::thread::sleep(Duration::from_millis(200));
            heartbeat(&second.folder);
        }
        assert_eq!(used(&root.join("server")), Some(second));

        let started = Instant::now();
        let names = || {
            std::fs::read_dir(&root)
                .unwrap()
                .map(|e| e.unwrap().file_name())
        };
        while names().count() > 1 {
            assert!(
                started.elapsed() < 10 * idle,
                "{:?}",
                names().collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(names().next().unwrap(), "lock");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
