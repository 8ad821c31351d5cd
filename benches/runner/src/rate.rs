//! The highest rate of fires per second at which none is lost or skipped.
//!
//! Fires are spread evenly over the second if a subject supports that, otherwise all are due at its beginning. A
//! binary search over a list of rates finds the highest one that is sustained.

use crate::figure::{grouped, median};
use crate::fires::{spreads, subjects, told};
use crate::options::Options;
use crate::process::{self, Figures};
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{APSCHEDULER, LIMIT};
use crate::table::{Table, column, plain, values, with_ratio};

const RATES: [u64; 12] = [
    1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 300_000, 500_000, 700_000,
    1_000_000,
];

/// The highest rate that is tried with APScheduler.
const MOST_IN_PYTHON: u64 = 50_000;

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    let rates: Vec<u64> = options.pick(RATES.to_vec(), vec![100, 200]);
    let seconds = options.pick(3, 2).to_string();
    let trial = |subject| {
        let (programs, seconds) = (programs.clone(), seconds.clone());
        // It takes half a minute to add jobs for a rate that it cannot sustain.
        let is_beyond = |rate: &u64| subject == APSCHEDULER && *rate > MOST_IN_PYTHON;
        let rates = rates.iter().copied().filter(|rate| !is_beyond(rate));
        let rates: Vec<u64> = rates.collect();
        let scenario = told(subject, if spreads(subject) { "spread" } else { "same" });
        let run: Box<dyn Fn() -> _> = Box::new(move || {
            highest(&rates, |rate| {
                let mut command = programs.command(subject.program)?;
                process::run(command.args([&scenario, &rate.to_string(), &seconds]))
            })
        });
        Trial {
            subject,
            scenario: "rate",
            count: 0,
            run: Some(run),
        }
    };
    subjects().map(trial).collect()
}

/// Finds the highest sustained rate by binary search, and returns its figures.
pub fn highest(
    rates: &[u64],
    run: impl Fn(u64) -> Result<Figures, String>,
) -> Result<Figures, String> {
    let (mut held, mut lost) = (None, rates.len());
    let (mut problem, mut failed) = (None, 0);
    let mut next = 0;
    while next < lost {
        let middle = next + (lost - next) / 2;
        match run(rates[middle]) {
            Ok(figures) if keeps_up(&figures) => {
                eprintln!("      {} a second: held", rates[middle]);
                held = Some((middle, figures));
                next = middle + 1;
            }
            Ok(_) => {
                eprintln!("      {} a second: lost some", rates[middle]);
                lost = middle;
            }
            Err(failure) => {
                eprintln!("      {} a second: {failure}", rates[middle]);
                lost = middle;
                failed += 1;
                problem = Some(failure);
            }
        }
    }
    match (held, problem) {
        (Some((index, figures)), _) => {
            let mut found = Figures::from([("rate".to_owned(), rates[index] as f64)]);
            found.insert(
                "is_most".to_owned(),
                f64::from(u8::from(index + 1 == rates.len())),
            );
            found.insert("failed_rates".to_owned(), f64::from(failed));
            found.extend(figures);
            Ok(found)
        }
        (None, Some(problem)) => Err(problem),
        (None, None) => Err(format!("not even {} a second", rates[0])),
    }
}

/// Returns `true` if all due fires happened.
fn keeps_up(figures: &Figures) -> bool {
    let figure = |name| figures.get(name).copied().unwrap_or_default();
    // A program that observes a period, not single fire times, sees some earlier fires and misses some.
    let least = if figures.contains_key("fires_per_second") {
        0.98
    } else {
        1.0
    };
    figure("skipped") == 0.0 && figure("fires") >= least * figure("expected")
}

pub fn table(section: &Section) -> String {
    let mut table = Table::new(&[
        "fires a second, none lost",
        "due",
        "CPU µs a fire",
        "late ms, p99",
    ]);
    let limit = values(section.cell(LIMIT, "rate", 0), "rate");
    for subject in subjects() {
        let cell = section.cell(subject, "rate", 0);
        let rate = match values(cell, "rate") {
            Ok(rates) => {
                let is_most = values(cell, "is_most").ok().and_then(median) == Some(1.0);
                let text = format!(
                    "{}{}",
                    if is_most { "≥ " } else { "" },
                    grouped(median(rates).unwrap_or_default() as i64)
                );
                let text = match limit {
                    Ok(limit) if subject != LIMIT && spreads(subject) => {
                        with_ratio(&text, rates, limit)
                    }
                    _ => text,
                };
                let failed = values(cell, "failed_rates").ok().and_then(median);
                match failed.unwrap_or_default() {
                    0.0 => text,
                    _ => text + ", failed above",
                }
            }
            Err(word) => word.to_owned(),
        };
        let due = if spreads(subject) {
            "over the second"
        } else {
            "at once"
        };
        let other = |name| plain(section, subject, column("rate", 0, name));
        table.row(
            subject.title,
            &[rate, due.to_owned(), other("cpu_us"), other("p99_ms")],
        );
    }
    let rates = RATES.map(|rate| grouped(rate as i64)).join(", ");
    let most = grouped(MOST_IN_PYTHON as i64);
    table.finish() + &format!("\nTried were {rates}; of APScheduler, up to {most}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::THIS;
    use crate::table::cell;

    fn until(most: u64) -> impl Fn(u64) -> Result<Figures, String> {
        move |rate| {
            let fires = if rate <= most { rate } else { most };
            Ok(Figures::from([
                ("fires".to_owned(), fires as f64),
                ("expected".to_owned(), rate as f64),
            ]))
        }
    }

    #[test]
    fn the_highest_rate_that_is_held_is_found() {
        for (most, expected) in [
            (1_000, 1_000),
            (60_000, 50_000),
            (100_000, 100_000),
            (9_000_000, 1_000_000),
        ] {
            let found = highest(&RATES, until(most)).unwrap();
            assert_eq!(found["rate"], expected as f64);
            assert_eq!(found["is_most"] == 1.0, expected == 1_000_000);
        }
        assert!(highest(&RATES, until(10)).unwrap_err().contains("1000"));
        assert_eq!(
            highest(&RATES, |_| Err("broken".to_owned())).unwrap_err(),
            "broken"
        );
    }

    #[test]
    fn a_rate_that_failed_is_reported() {
        let run = |rate| match rate {
            2 => Err("broken".to_owned()),
            rate => until(9)(rate),
        };
        let found = highest(&[1, 2, 3], run).unwrap();
        assert_eq!((found["rate"], found["failed_rates"]), (1.0, 1.0));
        let section = Section {
            cells: vec![cell(
                THIS,
                "rate",
                0,
                &[
                    ("rate", &[1.0]),
                    ("is_most", &[0.0]),
                    ("failed_rates", &[1.0]),
                ],
            )],
            ..Section::default()
        };
        assert!(table(&section).contains("| **this** | 1, failed above |"));
    }

    #[test]
    fn what_is_dropped_is_lost() {
        let mut figures = until(5)(5).unwrap();
        assert!(keeps_up(&figures));
        figures.insert("skipped".to_owned(), 1.0);
        assert!(!keeps_up(&figures));
    }

    #[test]
    fn a_rate_that_nothing_higher_was_tried_than_is_at_least_that() {
        let figures = |rate: f64, most: f64| {
            cell(THIS, "rate", 0, &[("rate", &[rate]), ("is_most", &[most])])
        };
        let section = |cell| Section {
            cells: vec![cell],
            ..Section::default()
        };
        assert!(table(&section(figures(1e6, 1.0))).contains("| **this** | ≥ 1,000,000 |"));
        assert!(table(&section(figures(5e5, 0.0))).contains("| **this** | 500,000 |"));
    }
}
