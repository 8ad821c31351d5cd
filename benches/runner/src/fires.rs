//! Jobs that are due every second, at the same instant or spread evenly: how many run, how late, and the processor
//! time of each.

use crate::figure::{grouped, median};
use crate::options::Options;
use crate::process;
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{APALIS_CRON, APSCHEDULER, BARE, LIMIT, SCHEDULERS, Subject, THIS};
use crate::table::{CANNOT, Table, column, figure, plain, values};

const COUNTS: [u64; 3] = [1_000, 10_000, 100_000];
const QUICK: [u64; 3] = [100, 200, 500];

/// Returns the subjects of one group, in the order of the tables.
pub fn subjects() -> impl Iterator<Item = Subject> {
    [LIMIT, THIS, BARE]
        .into_iter()
        .chain(SCHEDULERS.into_iter().skip(2))
}

/// Returns `true` if jobs can be due at instants other than whole seconds.
pub fn spreads(subject: Subject) -> bool {
    [LIMIT, THIS, BARE, APSCHEDULER].contains(&subject)
}

/// Returns the scenario's name on the program's command line.
pub fn told(subject: Subject, scenario: &str) -> String {
    if subject == BARE {
        format!("{scenario}-bare")
    } else {
        scenario.to_owned()
    }
}

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    let counts = options.pick(COUNTS, QUICK);
    let seconds = options.pick(5, 2).to_string();
    let groups = counts
        .map(|count| ("same", count))
        .into_iter()
        .chain([("spread", counts[2])]);
    let mut trials = Vec::new();
    for (scenario, count) in groups {
        for subject in subjects() {
            let (programs, seconds) = (programs.clone(), seconds.clone());
            trials.push(Trial {
                subject,
                scenario,
                count,
                run: (scenario == "same" || spreads(subject)).then(|| -> Box<dyn Fn() -> _> {
                    Box::new(move || {
                        let mut command = programs.command(subject.program)?;
                        process::run(command.args([
                            &told(subject, scenario),
                            &count.to_string(),
                            &seconds,
                        ]))
                    })
                }),
            });
        }
    }
    trials
}

pub fn table(section: &Section) -> String {
    let mut text = String::new();
    for (scenario, title) in [
        ("same", "due at the same instant"),
        ("spread", "spread over the second"),
    ] {
        let counts = section.counts(scenario);
        let Some((&most, fewer)) = counts.split_last() else {
            continue;
        };
        text += &format!("{} jobs each second, {title}:\n\n", grouped(most as i64));
        let columns = [
            "ran",
            "CPU µs a fire",
            "late ms, p50",
            "p99",
            "max",
            "earliest",
        ];
        let mut table = Table::new(&columns);
        for subject in subjects() {
            let at = |name| column(scenario, most, name);
            let mut cells = vec![ran(section, subject, scenario, most)];
            cells.push(figure(section, subject, at("cpu_us")));
            if is_lateness_known(section, subject, scenario, most) {
                cells.extend(["p50_ms", "p99_ms"].map(|name| figure(section, subject, at(name))));
                cells.extend(["max_ms", "min_ms"].map(|name| plain(section, subject, at(name))));
            } else {
                cells.extend([CANNOT; 4].map(str::to_owned));
            }
            table.row(subject.title, &cells);
        }
        text += &table.finish();
        text += "\n";
        if fewer.is_empty() {
            continue;
        }
        let mut columns = Vec::new();
        for count in fewer {
            let count = grouped(*count as i64);
            columns.extend([
                format!("{count}: ran"),
                "CPU µs a fire".to_owned(),
                "late ms, p99".to_owned(),
            ]);
        }
        text += "Fewer:\n\n";
        let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
        for subject in subjects() {
            let mut cells = Vec::new();
            for &count in fewer {
                cells.push(ran(section, subject, scenario, count));
                let at = |name| figure(section, subject, column(scenario, count, name));
                cells.push(at("cpu_us"));
                if is_lateness_known(section, subject, scenario, count) {
                    cells.push(at("p99_ms"));
                } else {
                    cells.push(CANNOT.to_owned());
                }
            }
            table.row(subject.title, &cells);
        }
        text += &table.finish();
        text += "\n";
    }
    text + "clokwerk is asked what is due every 100 ms, as its documentation has it, and runs jobs one after the \
            other in one task; tokio-cron-scheduler looks every 500 ms, and its channels are as large as there are \
            jobs; `delay_timer` counts seconds from its own start, here that of a second. The crates without figures \
            for what is spread know only whole seconds. – late: lost some, and does not say which."
}

/// Returns `true` if the lateness is known. Most peers do not pass a job its fire time: its n-th run counts as that
/// of the n-th second, which is only right if none is lost.
fn is_lateness_known(section: &Section, subject: Subject, scenario: &str, count: u64) -> bool {
    [LIMIT, THIS, BARE, APALIS_CRON].contains(&subject)
        || ran(section, subject, scenario, count) == ALL
}

const ALL: &str = "all";

/// Returns the share of the expected fires that happened.
fn ran(section: &Section, subject: Subject, scenario: &str, count: u64) -> String {
    let cell = section.cell(subject, scenario, count);
    let told = |name| values(cell, name).map(|values| median(values).unwrap_or_default());
    match (told("fires"), told("expected")) {
        (Ok(fires), Ok(expected)) if fires >= expected => ALL.to_owned(),
        (Ok(fires), Ok(expected)) => format!("{:.2} %", (fires / expected * 1e4).floor() / 100.0),
        (Err(word), _) => word.to_owned(),
        _ => CANNOT.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::cell;

    #[test]
    fn lost_fires_are_never_rounded_away() {
        let section = Section {
            cells: vec![
                cell(
                    LIMIT,
                    "same",
                    9,
                    &[("fires", &[90.0]), ("expected", &[90.0])],
                ),
                cell(
                    THIS,
                    "same",
                    9,
                    &[("fires", &[999_999.0]), ("expected", &[1_000_000.0])],
                ),
            ],
            ..Section::default()
        };
        assert_eq!(ran(&section, LIMIT, "same", 9), "all");
        assert_eq!(ran(&section, THIS, "same", 9), "99.99 %");
        assert!(table(&section).contains("| **this** | 99.99 % |"));
    }
}
