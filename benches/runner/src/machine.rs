//! Where the figures come from.

use std::fmt;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The machine and the date.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub rustc: String,
    pub date: String,
}

impl Machine {
    /// Returns this machine.
    pub fn this() -> Self {
        let first = |path: &str, key: &str| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(key));
            line.and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        let memory = first("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kib = memory
            .split_whitespace()
            .next()
            .and_then(|kib| kib.parse::<f64>().ok());
        Self {
            cpu: first("/proc/cpuinfo", "model name")
                .unwrap_or_else(|| "unknown processor".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: (kib.unwrap_or_default() / 1_048_576.0).round() as u64,
            kernel: said("uname", &["-sr"]),
            rustc: said("rustc", &["--version"])
                .split(" (")
                .next()
                .unwrap_or_default()
                .to_owned(),
            date: said("date", &["-u", "+%F"]),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cpu,
            cores,
            memory_gib,
            kernel,
            rustc,
            date,
        } = self;
        write!(
            f,
            "{cores} cores of {cpu}, {memory_gib} GiB, {kernel}, {rustc}, {date}"
        )
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}
