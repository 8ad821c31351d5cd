//! The command-line options.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::part::{PARTS, Part};
use crate::{fires, triggers};

/// The parsed command line.
#[derive(Debug, Clone)]
pub struct Options {
    pub parts: Vec<&'static Part>,
    pub runs: usize,
    /// Small counts and a single run: shows that everything works, but measures nothing.
    pub quick: bool,
    /// The subjects to measure; all if empty.
    pub only: Vec<String>,
    pub out: Option<PathBuf>,
}

impl Options {
    /// Parses the words after the program's name.
    pub fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            parts: Vec::new(),
            runs: 5,
            quick: false,
            only: Vec::new(),
            out: None,
        };
        let mut runs = None;
        let mut named = false;
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--runs" => runs = Some(value()?.parse().map_err(|_| "--runs needs a number")?),
                "--quick" => options.quick = true,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--out" => options.out = Some(value()?.into()),
                "all" => options.parts = PARTS.iter().collect(),
                "tables" => {}
                name => {
                    let part = PARTS.iter().find(|part| part.name == name);
                    options
                        .parts
                        .push(part.ok_or(format!("there is no part `{name}`"))?);
                }
            }
            named |= !word.starts_with("--");
        }
        if !named {
            let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
            return Err(format!(
                "say what to measure: all, tables, {}",
                names.join(", ")
            ));
        }
        let subjects = fires::subjects().chain(triggers::SUBJECTS);
        let names: BTreeSet<&str> = subjects.map(|subject| subject.name).collect();
        let is_unknown = |name: &&String| !names.contains(name.as_str());
        if let Some(name) = options.only.iter().find(is_unknown) {
            let names: Vec<&str> = names.into_iter().collect();
            return Err(format!(
                "there is no subject `{name}`: there are {}",
                names.join(", ")
            ));
        }
        options.runs = runs.unwrap_or(if options.quick { 1 } else { 5 }).max(1);
        Ok(options)
    }

    /// Returns `true` if the subject should be measured.
    pub fn wants(&self, subject: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == subject)
    }

    /// Returns one figure for measuring, and another for showing that everything works.
    pub fn pick<T>(&self, measured: T, quick: T) -> T {
        if self.quick { quick } else { measured }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Options, String> {
        Options::read(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn parts_and_options_are_read() {
        let options = read("rate fires --runs 3 --only limit,this --out x.json").unwrap();
        let names: Vec<_> = options.parts.iter().map(|part| part.name).collect();
        assert_eq!((names, options.runs), (vec!["rate", "fires"], 3));
        assert!(options.wants("this") && !options.wants("clokwerk"));
        assert_eq!(read("all --quick").unwrap().runs, 1);
        assert_eq!(read("tables").unwrap().parts.len(), 0);
        assert_eq!(read("all").unwrap().parts.len(), PARTS.len());
    }

    #[test]
    fn mistakes_are_reported() {
        assert!(read("").unwrap_err().contains("startup"));
        assert!(read("fire").unwrap_err().contains("`fire`"));
        assert!(read("all --only lmit").unwrap_err().contains("limit"));
        assert!(read("all --runs").unwrap_err().contains("--runs"));
    }
}
