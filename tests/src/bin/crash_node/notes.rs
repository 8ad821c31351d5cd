//! What the bodies record about themselves.

use std::path::Path;

use scheduler_core::JobContext;
use scheduler_tests::checker::{Line, LineKind, Recorder, RunId};

/// A node's journal.
#[derive(Debug)]
pub(crate) struct Notes {
    recorder: Recorder,
    node: String,
}

impl Notes {
    pub(crate) fn open(journal: &Path, node: &str) -> std::io::Result<Self> {
        Ok(Self {
            recorder: Recorder::open(journal)?,
            node: node.to_owned(),
        })
    }

    /// Notes that a body begins; the first thing that it does.
    pub(crate) fn begin(&self, ctx: &JobContext) -> Begun<'_> {
        let (run, attempt) = ctx.fencing_token();
        let line = Line {
            kind: LineKind::Begin,
            run: RunId(run.as_u128()),
            attempt: attempt.into(),
            job: ctx.job_id().to_owned(),
            scheduled_for: ctx.scheduled_for().timestamp_micros(),
            node: self.node.clone(),
            at: 0,
        };
        self.write(line.clone());
        Begun {
            notes: self,
            line,
            over: LineKind::Cut,
        }
    }

    fn write(&self, line: Line) {
        // Without a journal nothing can be checked; the test notices an exit that it did not request.
        if self.recorder.write(line).is_err() {
            std::process::exit(2);
        }
    }
}

/// A body that began. If dropped before its end, it notes that it was cut off.
pub(crate) struct Begun<'a> {
    notes: &'a Notes,
    line: Line,
    over: LineKind,
}

impl Begun<'_> {
    /// Notes that the body ends; the last thing that it does.
    pub(crate) fn end(mut self) {
        self.over = LineKind::End;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.notes.write(Line {
            kind: self.over,
            ..self.line.clone()
        });
    }
}
