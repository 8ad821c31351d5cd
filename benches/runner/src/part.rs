//! The parts: what each measures, and the table that shows it.

use crate::options::Options;
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::{fires, hello, jobs, rate, startup, stores, triggers};

/// A part that can be measured on its own.
#[derive(Debug)]
pub struct Part {
    pub name: &'static str,
    pub trials: fn(&Options, &Programs) -> Vec<Trial>,
    pub table: fn(&Section) -> String,
}

/// All parts, in the order of `docs/benchmarks.md`.
pub const PARTS: [Part; 7] = [
    Part {
        name: "fires",
        trials: fires::trials,
        table: fires::table,
    },
    Part {
        name: "rate",
        trials: rate::trials,
        table: rate::table,
    },
    Part {
        name: "jobs",
        trials: jobs::trials,
        table: jobs::table,
    },
    Part {
        name: "triggers",
        trials: triggers::trials,
        table: triggers::table,
    },
    Part {
        name: "stores",
        trials: stores::trials,
        table: stores::table,
    },
    Part {
        name: "hello",
        trials: hello::trials,
        table: hello::table,
    },
    Part {
        name: "startup",
        trials: startup::trials,
        table: startup::table,
    },
];
