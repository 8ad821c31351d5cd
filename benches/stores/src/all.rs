//! Everything, side by side: this store, its limit, and APScheduler, each in a process of its own.

use std::path::PathBuf;
use std::process::Command;

/// How long a rate is tried, and how long the highest one has to be held, in seconds.
const TRIAL: &str = "8";
const HELD: &str = "30";

/// Runs all of it against a PostgreSQL server, and against files in a folder.
pub fn run(postgres: &str, folder: &str) {
    let python = peer(folder);
    let sqlite = format!("sqlite://{folder}/bench.db");
    for (url, from) in [(&*sqlite, 20_000), (postgres, 10_000)] {
        own(&["limit", url, "20000", "15"]);
        highest(from, 1.2, |jobs, seconds| {
            own(&["sustained", url, jobs, seconds])
        });
        own(&["limit", url, "20000", "15"]);
        own(&["start", url, "100000"]);
        own(&["pickup", url, "100"]);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peer.py");
    let file = format!("sqlite:///{folder}/peer.db");
    let server = postgres.replacen("postgres://", "postgresql+psycopg2://", 1);
    for (url, mode, from) in [(&file, "", 400), (&file, "wal", 1_000), (&server, "", 500)] {
        highest(from, 1.3, |jobs, seconds| {
            let mut peer = Command::new(&python);
            output(peer.args([script, url, jobs, seconds, mode]))
        });
    }
}

/// Goes up until a rate is not held, then down until one is held for long.
fn highest(from: u32, factor: f64, run: impl Fn(&str, &str) -> String) {
    let held = |jobs: u32, seconds| run(&jobs.to_string(), seconds).contains("HELD");
    let mut jobs = from;
    while held(jobs, TRIAL) {
        jobs = (f64::from(jobs) * factor) as u32;
    }
    loop {
        jobs = (f64::from(jobs) / factor.sqrt()) as u32;
        if jobs < 10 || held(jobs, HELD) {
            break;
        }
    }
}

fn own(arguments: &[&str]) -> String {
    output(Command::new(std::env::current_exe().unwrap()).args(arguments))
}

/// Runs it, and shows what it says last.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    println!("{last}");
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    last.to_owned()
}

/// A Python with APScheduler in it.
fn peer(folder: &str) -> PathBuf {
    let venv = PathBuf::from(folder).join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
        assert!(made.unwrap().success(), "python3 -m venv is needed");
        let pip = Command::new(&python)
            .args(["-m", "pip", "-q", "install", "APScheduler==3.11.2", "SQLAlchemy", "psycopg2-binary"])
            .status();
        assert!(pip.unwrap().success(), "pip could not install APScheduler");
    }
    python
}
