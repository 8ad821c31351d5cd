//! The service under test: a process of its own with a database of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::folder;
use crate::lifeline::TiedFolder;

/// The token that may do everything, where the service wants one.
pub const FULL_TOKEN: &str = "a-token-that-may-do-everything";
/// The token that may only read.
pub const READ_TOKEN: &str = "a-token-that-may-only-read";

/// A running service. It is killed, and its database removed, with this.
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

    /// Where the page is, with the slash at its end.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A client of the API that may do everything.
    pub fn api(&self) -> Api {
        Api::new(&self.address, self.token)
    }

    /// The file of its database.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("jobs.db")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends the process without warning, by SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it once more, on the port and the database it had.
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

    /// Sends SIGTERM and waits for the end. Panics if that takes more than this long.
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
        // It ends when its input is closed, which means that the process that started it is gone.
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
