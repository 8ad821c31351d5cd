//! The journal: what the jobs' bodies did, recorded by themselves.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::run_id::RunId;

/// What a line records of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// It began.
    Begin,
    /// It ended.
    End,
    /// It was dropped before its end.
    Cut,
}

/// One line: that the body of an attempt began, ended or was cut off. Its parts are separated by tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it records.
    pub kind: LineKind,
    /// The run.
    pub run: RunId,
    /// The number of the attempt.
    pub attempt: i64,
    /// The job.
    pub job: String,
    /// The fire time, in microseconds since 1970.
    pub scheduled_for: i64,
    /// The process that ran the body.
    pub node: String,
    /// When, in microseconds since 1970.
    pub at: i64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            run,
            attempt,
            job,
            scheduled_for,
            node,
            at,
        } = self;
        let kind = match kind {
            LineKind::Begin => "begin",
            LineKind::End => "end",
            LineKind::Cut => "cut",
        };
        write!(
            f,
            "{kind}\t{run}\t{attempt}\t{job}\t{scheduled_for}\t{node}\t{at}"
        )
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split('\t').collect();
        let [kind, run, attempt, job, scheduled_for, node, at] = parts[..] else {
            return Err(format!("{} parts instead of 7", parts.len()));
        };
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
        Ok(Self {
            kind: match kind {
                "begin" => LineKind::Begin,
                "end" => LineKind::End,
                "cut" => LineKind::Cut,
                other => return Err(format!("`{other}` is neither begin nor end nor cut")),
            },
            run: run.parse()?,
            attempt: number(attempt)?,
            job: job.to_owned(),
            scheduled_for: number(scheduled_for)?,
            node: node.to_owned(),
            at: number(at)?,
        })
    }
}

/// The lines of all bodies.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// In the order of their instants.
    pub lines: Vec<Line>,
    /// Lines that cannot be parsed, and the reasons.
    pub unreadable: Vec<String>,
}

impl Journal {
    /// Reads a journal, or one of several. An incomplete last line counts as not written.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self, path: &Path) -> io::Result<()> {
        let text = std::fs::read_to_string(path)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for (index, line) in whole.lines().enumerate() {
            match line.parse() {
                Ok(line) => self.lines.push(line),
                Err(problem) => self.unreadable.push(format!(
                    "line {} of {} cannot be read: {problem}",
                    index + 1,
                    path.display()
                )),
            }
        }
        self.lines.sort_by_key(|line| line.at);
        Ok(())
    }

    /// Returns the bodies: all that began, and all that ended in whatever way.
    pub(super) fn bodies(&self) -> HashMap<(RunId, i64), Body<'_>> {
        let mut bodies: HashMap<_, Body<'_>> = HashMap::new();
        for line in &self.lines {
            let body = bodies.entry((line.run, line.attempt)).or_default();
            match line.kind {
                LineKind::Begin => body.begins.push(line),
                LineKind::End => body.ends.push(line),
                LineKind::Cut => body.cuts.push(line),
            }
        }
        bodies
    }
}

/// The lines of one attempt: a begin, and an end or a cut unless its process was killed.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) begins: Vec<&'a Line>,
    pub(super) ends: Vec<&'a Line>,
    pub(super) cuts: Vec<&'a Line>,
}

impl<'a> Body<'a> {
    /// Returns every line that says that the body is over.
    pub(super) fn overs(&self) -> impl Iterator<Item = &'a Line> {
        self.ends.iter().chain(&self.cuts).copied()
    }
}

/// Writes lines to a journal, to which other processes may write at the same time.
#[derive(Debug)]
pub struct Recorder {
    file: File,
}

impl Recorder {
    /// Opens a journal, and creates it if it does not exist.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// Writes a line with the current time, and returns it. The line survives the process once this has returned.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, line: Line) -> io::Result<Line> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = now.map_or(0, |since| since.as_micros());
        let line = Line {
            at: i64::try_from(micros).unwrap_or(i64::MAX),
            ..line
        };
        // One call, so that the lines of several processes do not mix.
        (&self.file).write_all(format!("{line}\n").as_bytes())?;
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::samples::begin;

    #[test]
    fn lines_are_read_back_and_those_that_make_no_sense_are_reported() {
        let name = format!("journal-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let recorder = Recorder::open(&path).unwrap();
        let first = recorder.write(begin(1, 1, 0)).unwrap();
        assert!(first.at > 1_700_000_000_000_000);
        (&recorder.file).write_all(b"begin\tx\n").unwrap();
        let second = Recorder::open(&path)
            .unwrap()
            .write(Line {
                kind: LineKind::End,
                ..begin(1, 1, 0)
            })
            .unwrap();
        (&recorder.file).write_all(b"end\t019b76da-a8").unwrap();

        let mut journal = Journal::default();
        journal.read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(journal.lines, [first, second]);
        assert_eq!(journal.unreadable.len(), 1);
        assert!(journal.unreadable[0].starts_with("line 2 of "));
        assert!(journal.unreadable[0].ends_with("2 parts instead of 7"));
    }
}
