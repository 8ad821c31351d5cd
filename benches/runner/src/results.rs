//! The figures of all runs, as stored in a file.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::options::Options;
use crate::subject::Subject;

/// The measurements, part by part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    pub sections: BTreeMap<String, Section>,
}

/// A part, and where it was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    pub machine: Machine,
    pub runs: usize,
    pub cells: Vec<Cell>,
}

/// The figures of one subject in one scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub subject: String,
    pub scenario: String,
    pub count: u64,
    /// `true` if the subject does not support this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cannot: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, Vec<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

impl Results {
    /// Reads a file, if it exists.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        if !path.exists() {
            return Ok(Self::default());
        }
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    pub fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        Ok(std::fs::write(
            path,
            serde_json::to_string_pretty(self)? + "\n",
        )?)
    }

    /// Merges a part. If only some subjects were measured, those of the others are kept if they come from the same
    /// machine and day.
    pub fn merge(&mut self, part: &str, section: Section, options: &Options) {
        let is_beside = |old: &Section| !options.only.is_empty() && old.machine == section.machine;
        let old = self.sections.get_mut(part).filter(|old| is_beside(old));
        let Some(old) = old else {
            self.sections.insert(part.to_owned(), section);
            return;
        };
        old.runs = old.runs.min(section.runs);
        for cell in section.cells {
            match old.cells.iter_mut().find(|other| other.key() == cell.key()) {
                Some(other) => *other = cell,
                None => old.cells.push(cell),
            }
        }
    }
}

impl Section {
    /// Returns the figures of a subject.
    pub fn cell(&self, subject: Subject, scenario: &str, count: u64) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|cell| cell.key() == (subject.name, scenario, count))
    }

    /// Returns the counts of a scenario, in order.
    pub fn counts(&self, scenario: &str) -> Vec<u64> {
        let cells = self.cells.iter().filter(|cell| cell.scenario == scenario);
        let mut counts: Vec<u64> = cells.map(|cell| cell.count).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }
}

impl Cell {
    fn key(&self) -> (&str, &str, u64) {
        (&self.subject, &self.scenario, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(subject: &str, figure: f64) -> Section {
        let figures = BTreeMap::from([("a".to_owned(), vec![figure])]);
        let cell = Cell {
            subject: subject.to_owned(),
            scenario: "same".to_owned(),
            count: 7,
            figures,
            ..Cell::default()
        };
        Section {
            cells: vec![cell],
            ..Section::default()
        }
    }

    #[test]
    fn parts_are_replaced_and_subjects_merged() {
        let read = |words: &str| Options::read(words.split(' ').map(str::to_owned)).unwrap();
        let mut results = Results::default();
        results.merge("fires", section("limit", 1.0), &read("fires"));
        results.merge("fires", section("this", 2.0), &read("fires --only this"));
        assert_eq!(results.sections["fires"].cells.len(), 2);
        results.merge("fires", section("this", 3.0), &read("fires --only this"));
        assert_eq!(results.sections["fires"].cells[1].figures["a"], [3.0]);
        let mut elsewhere = section("this", 5.0);
        elsewhere.machine.cpu = "another".to_owned();
        let mut moved = results.clone();
        moved.merge("fires", elsewhere, &read("fires --only this"));
        assert_eq!(moved.sections["fires"].cells.len(), 1);
        results.merge("fires", section("this", 4.0), &read("fires"));
        assert_eq!(results.sections["fires"].cells.len(), 1);
        assert_eq!(results.sections["fires"].counts("same"), [7]);
        let text = serde_json::to_string(&results).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
    }
}
