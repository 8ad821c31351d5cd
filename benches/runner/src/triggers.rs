//! The next fire time of twelve crontab expressions, in UTC and in New York, and parsing them.

use crate::figure::median;
use crate::options::Options;
use crate::process::{self, Figures};
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{APSCHEDULER, LIMIT, Program, Subject, THIS};
use crate::table::{Table, column, figure};

const SCENARIOS: [&str; 3] = ["next-utc", "next-new-york", "parse"];

const fn krate(name: &'static str, title: &'static str) -> Subject {
    Subject {
        name,
        title,
        program: Program::Own("bench-triggers"),
    }
}

/// One program measures all of these, selected by an argument, except for Python's.
pub const SUBJECTS: [Subject; 6] = [
    krate(LIMIT.name, LIMIT.title),
    krate(THIS.name, THIS.title),
    krate("cron", "cron 0.17"),
    krate("croner", "croner 4"),
    krate("saffron", "saffron 0.1"),
    APSCHEDULER,
];

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    let milliseconds = options.pick(10, 1).to_string();
    let mut trials = Vec::new();
    for scenario in SCENARIOS {
        for subject in SUBJECTS {
            let (programs, milliseconds) = (programs.clone(), milliseconds.clone());
            let can = subject.name != "saffron" || scenario != "next-new-york";
            trials.push(Trial {
                subject,
                scenario,
                count: 12,
                run: can.then(|| -> Box<dyn Fn() -> _> {
                    Box::new(move || {
                        let mut command = programs.command(subject.program)?;
                        let told = match subject.program {
                            Program::Python => scenario.to_owned(),
                            _ => format!("{}/{scenario}", subject.name),
                        };
                        Ok(summed_up(process::run(command.args([
                            &told,
                            &milliseconds,
                            "0",
                        ]))?))
                    })
                }),
            });
        }
    }
    trials
}

/// Adds the median and the worst figure over all expressions.
fn summed_up(mut figures: Figures) -> Figures {
    let all: Vec<f64> = figures.values().copied().collect();
    figures.insert("median_ns".to_owned(), median(&all).unwrap_or(f64::NAN));
    figures.insert("worst_ns".to_owned(), all.into_iter().fold(0.0, f64::max));
    figures
}

pub fn table(section: &Section) -> String {
    let mut table = Table::new(&[
        "next in UTC, ns: median",
        "worst",
        "next in New York, ns: median",
        "worst",
        "parsing, ns: median",
        "worst",
    ]);
    for subject in SUBJECTS {
        let cells = SCENARIOS.iter().flat_map(|scenario| {
            ["median_ns", "worst_ns"]
                .map(|name| figure(section, subject, column(scenario, 12, name)))
        });
        table.row(subject.title, &cells.collect::<Vec<_>>());
    }
    table.finish()
        + "\nMedian and worst are those of twelve expressions (`benches/triggers/expressions.txt`). The limit is \
           arithmetic written by hand for each of them."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_summed_up() {
        let figures =
            [("a", 1.0), ("b", 5.0), ("c", 3.0)].map(|(name, figure)| (name.to_owned(), figure));
        let figures = summed_up(Figures::from(figures));
        assert_eq!((figures["median_ns"], figures["worst_ns"]), (3.0, 5.0));
    }
}
