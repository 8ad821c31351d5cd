//! The service under test: a separate process with its own database.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::folder;
use crate::lifeline::TiedFolder;

/// The token that may do everything, if the service requires one.
pub const FULL_TOKEN: &str = "a-token-that-may-do-everything";
/// The token that may only read.
pub const READ_TOKEN: &str = "a-token-that-may-only-read";

/// A running service. It is killed, and its database removed, when this is dropped.
#[derive(Debug)]
pub struct Service {
    program: PathBuf,
    folder: TiedFolder,
    arguments: Vec<String>,
    token: Option<&'static str>,
    child: Child,
    address: String,
}

impl Service {
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Self {
        let folder = TiedFolder::new(folder::create("service"));
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let (child, address) = spawn(program, folder.path(), &arguments, None);
        let has_tokens = arguments.iter().any(|argument| argument == "--tokens");
        Self {
            program: program.to_owned(),
            folder,
            token: has_tokens.then_some(FULL_TOKEN),
            arguments,
            child,
            address,
        }
    }

    /// Returns the address of the page, which ends with a slash.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns a client of the API that may do everything.
    pub fn api(&self) -> Api {
        Api::new(&self.address, self.token)
    }

    /// Returns the path of its database file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("jobs.db")
    }

    /// Returns its log output.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Kills the process with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the service again, with the same port and database.
    pub fn restart(&mut self) {
        let port = self.address.split([':', '/']).nth(4).unwrap();
        let (child, address) = spawn(
            &self.program,
            self.folder.path(),
            &self.arguments,
            Some(port),
        );
        assert_eq!(address, self.address);
        self.child = child;
    }

    /// Sends SIGTERM and waits for the end of the process. Panics if that takes longer than `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> ExitStatus {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.unwrap().success());
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it runs still, {limit:?} later:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the process and reads the address that it prints.
fn spawn(
    program: &Path,
    folder: &Path,
    arguments: &[String],
    port: Option<&str>,
) -> (Child, String) {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let mut child = Command::new(program)
        .arg(folder.join("jobs.db"))
        .args(arguments)
        .args(port.map(|port| format!("--port={port}")))
        // It ends when its input is closed, since the process that started it is gone then.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .env("RUST_BACKTRACE", "0")
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| Some(line.ok()?.strip_prefix("LISTENING ")?.to_owned()));
    let Some(address) = address else {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let _ = child.wait();
        panic!("the service did not start:\n{log}");
    };
    (child, address)
}
