//! Compares counts with the committed ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::scenario::{SCENARIOS, Scenario};

/// The increase over the committed count that counts as a failure.
const MORE: f64 = 0.05;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.txt");

/// Fails if a scenario takes over 5 % more instructions than the committed file says.
pub fn check() -> ExitCode {
    let committed = read(FILE);
    let mut is_good = true;
    for scenario in &SCENARIOS {
        let count = count(scenario);
        let Some(before) = committed.get(scenario.name) else {
            println!("{:<22} {count:>9} NOT IN counts.txt", scenario.name);
            is_good = false;
            continue;
        };
        let change = count as f64 / *before as f64 - 1.0;
        let verdict = if change > MORE { "TOO MANY" } else { "" };
        println!(
            "{:<22} {count:>9} {:>+7.1} % {verdict}",
            scenario.name,
            change * 100.0
        );
        is_good &= change <= MORE;
    }
    if is_good {
        println!(
            "no scenario takes over {:.0} % more than committed",
            MORE * 100.0
        );
        ExitCode::SUCCESS
    } else {
        println!("if that is on purpose: `bench-instructions update`, and commit counts.txt");
        ExitCode::FAILURE
    }
}

/// Rewrites the file.
pub fn update() -> ExitCode {
    let counts = SCENARIOS
        .iter()
        .map(|scenario| (scenario.name, count(scenario)));
    let lines = counts.map(|(name, count)| format!("{name} {count}\n"));
    let text: String = lines.inspect(|line| print!("{line}")).collect();
    std::fs::write(FILE, text).unwrap();
    ExitCode::SUCCESS
}

fn read(file: &str) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(name, count)| (name.to_owned(), count.parse().unwrap()))
        .collect()
}

/// Returns the instructions of one operation: the difference between a run and one twice as long, so that set-up does
/// not count.
fn count(scenario: &Scenario) -> u64 {
    let once = instructions(scenario, scenario.times);
    let twice = instructions(scenario, 2 * scenario.times);
    (twice - once) / (scenario.times * scenario.each) as u64
}

fn instructions(scenario: &Scenario, times: usize) -> u64 {
    let file = temporary_file();
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe().unwrap())
        .args([scenario.name, &times.to_string()])
        .output()
        .expect("valgrind is needed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", scenario.name);
    let total = total(&file);
    std::fs::remove_file(&file).unwrap();
    total.unwrap_or_else(|| panic!("{}: no total: {said}", scenario.name))
}

fn temporary_file() -> PathBuf {
    std::env::temp_dir().join(format!("bench-instructions-{}", std::process::id()))
}

fn total(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("summary: "))?;
    line.trim().parse().ok()
}
