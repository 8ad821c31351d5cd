//! Adding jobs through the public call: how many per second, the memory of each, and the processor time while none is
//! due.

use crate::figure::grouped;
use crate::options::Options;
use crate::process;
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{Program, SCHEDULERS};
use crate::table::{Table, column, figure};

/// Counts, and the number of seconds for which the idle process is watched.
const COUNTS: [(u64, u64); 3] = [(1_000, 0), (100_000, 5), (1_000_000, 5)];
const QUICK: [(u64, u64); 3] = [(1_000, 0), (2_000, 1), (5_000, 1)];

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (count, seconds) in options.pick(COUNTS, QUICK) {
        for subject in SCHEDULERS {
            // A million workers, or a million jobs in Python, take minutes and gigabytes.
            let largest = COUNTS.map(|(count, _)| count)[2];
            let is_slow = subject.program == Program::Python || subject.name == "apalis-cron";
            let programs = programs.clone();
            trials.push(Trial {
                subject,
                scenario: "jobs",
                count,
                run: (count < largest || !is_slow).then(|| -> Box<dyn Fn() -> _> {
                    Box::new(move || {
                        let mut command = programs.command(subject.program)?;
                        process::run(command.args([
                            "jobs",
                            &count.to_string(),
                            &seconds.to_string(),
                        ]))
                    })
                }),
            });
        }
    }
    trials
}

pub fn table(section: &Section) -> String {
    let counts = section.counts("jobs");
    let mut text = String::new();
    for (title, name, counts) in [
        ("added a second", "adds_per_second", &counts[..]),
        ("bytes each", "bytes_per_job", &counts[..]),
        (
            "% of a core at rest",
            "idle_percent",
            counts.get(1..).unwrap_or_default(),
        ),
    ] {
        let columns = counts
            .iter()
            .map(|count| format!("{} jobs: {title}", grouped(*count as i64)));
        let columns: Vec<String> = columns.collect();
        let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
        for subject in SCHEDULERS {
            let cells = counts
                .iter()
                .map(|&count| figure(section, subject, column("jobs", count, name)));
            table.row(subject.title, &cells.collect::<Vec<_>>());
        }
        text += &table.finish();
        text += "\n";
    }
    text + "`delay_timer` queues what is added, and the call returns before it is placed. – is too much to try."
}
