//! Measures in rounds, so that no subject always has the same position.

use std::collections::BTreeMap;
use std::fmt;

use crate::machine::Machine;
use crate::options::Options;
use crate::process::Figures;
use crate::results::{Cell, Section};
use crate::subject::Subject;

/// A cell of a table, and how to measure it.
pub struct Trial {
    pub subject: Subject,
    pub scenario: &'static str,
    pub count: u64,
    /// `None` if the subject does not support it.
    pub run: Option<Box<dyn Fn() -> Result<Figures, String>>>,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.subject.name, self.scenario, self.count)
    }
}

/// After this many failures without a success, a trial is not repeated.
const TRIES: usize = 2;

/// Measures each trial the requested number of times. Trials with the same scenario and count form a group.
pub fn measure(trials: Vec<Trial>, options: &Options, part: &str) -> Section {
    let trials: Vec<Trial> = trials
        .into_iter()
        .filter(|trial| options.wants(trial.subject.name))
        .collect();
    let mut cells: Vec<Cell> = trials.iter().map(cell).collect();
    for round in 0..options.runs {
        for (step, index) in order(&trials, round).into_iter().enumerate() {
            let (trial, cell) = (&trials[index], &mut cells[index]);
            let Some(run) = &trial.run else { continue };
            if cell.figures.is_empty() && cell.failures.len() >= TRIES {
                continue;
            }
            let place = format!(
                "{part}, round {}/{}, {}/{}",
                round + 1,
                options.runs,
                step + 1,
                trials.len()
            );
            match run() {
                Ok(figures) => {
                    eprintln!("   {place}: {trial:?}: {}", brief(&figures));
                    for (name, figure) in figures {
                        cell.figures.entry(name).or_default().push(figure);
                    }
                }
                Err(failure) => {
                    eprintln!("   {place}: {trial:?}: failed: {failure}");
                    cell.failures.push(failure);
                }
            }
        }
    }
    Section {
        machine: Machine::this(),
        runs: options.runs,
        cells,
    }
}

fn cell(trial: &Trial) -> Cell {
    Cell {
        subject: trial.subject.name.to_owned(),
        scenario: trial.scenario.to_owned(),
        count: trial.count,
        cannot: trial.run.is_none(),
        figures: BTreeMap::new(),
        failures: Vec::new(),
    }
}

/// Returns the groups in their original order, with the trials of each group in alternating direction.
fn order(trials: &[Trial], round: usize) -> Vec<usize> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        let key = |other: &Trial| (other.scenario, other.count) == (trial.scenario, trial.count);
        match groups.iter_mut().find(|group| key(&trials[group[0]])) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    if round % 2 == 1 {
        groups.iter_mut().for_each(|group| group.reverse());
    }
    groups.concat()
}

fn brief(figures: &Figures) -> String {
    let each = figures
        .iter()
        .map(|(name, figure)| format!("{name} {}", crate::figure::short(*figure)));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{LIMIT, THIS};

    fn trials() -> Vec<Trial> {
        let trial = |subject, count, run: Option<Box<dyn Fn() -> _>>| Trial {
            subject,
            scenario: "same",
            count,
            run,
        };
        let works = || -> Option<Box<dyn Fn() -> Result<Figures, String>>> {
            Some(Box::new(|| Ok(Figures::from([("a".to_owned(), 1.0)]))))
        };
        vec![
            trial(LIMIT, 1, works()),
            trial(THIS, 1, Some(Box::new(|| Err("broken".to_owned())))),
            trial(LIMIT, 2, works()),
            trial(THIS, 2, None),
        ]
    }

    #[test]
    fn rounds_go_there_and_back() {
        assert_eq!(order(&trials(), 0), [0, 1, 2, 3]);
        assert_eq!(order(&trials(), 1), [1, 0, 3, 2]);
    }

    #[test]
    fn figures_failures_and_what_cannot_be_done_are_kept_apart() {
        let words = ["fires", "--runs", "3"].map(str::to_owned);
        let options = Options::read(words.into_iter()).unwrap();
        let section = measure(trials(), &options, "fires");
        assert_eq!(section.cells[0].figures["a"], [1.0; 3]);
        assert_eq!(section.cells[1].failures, ["broken"; TRIES]);
        assert!(section.cells[3].cannot && !section.cells[1].cannot);
    }
}
