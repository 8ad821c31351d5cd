//! Programs that are counted instruction by instruction: one repeats a scenario a given number of times, and does
//! nothing else.
//!
//! `check` runs every scenario under callgrind; `bench-instructions SCENARIO TIMES` runs a single one. Time is
//! virtual and there is only one thread, so the count is the same on a busy machine.

mod check;
mod scenario;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["check"] => check::check(),
        ["update"] => check::update(),
        [scenario, times] => match times.parse() {
            Ok(times) if scenario::run(scenario, times) => ExitCode::SUCCESS,
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "check | update | SCENARIO TIMES, with one of: {}",
        scenario::names()
    );
    ExitCode::FAILURE
}
