//! Persistent jobs on SQLite and on PostgreSQL, with full history: the sustained rate, all jobs due at once, starting
//! with many stored jobs, and how soon another node picks up a job.
//!
//! The limit is the same three writes per fire, in the same batches, without the scheduler; for starting and picking
//! up, the database alone. APScheduler keeps no history.

use std::path::{Path, PathBuf};

use crate::leftovers::PREFIX;
use crate::options::Options;
use crate::postgres::Cluster;
use crate::process::{self, Figures};
use crate::programs::Programs;
use crate::rate::highest;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{APSCHEDULER, LIMIT, Program, Subject, THIS};
use crate::table::{Table, UNMEASURED, column, figure};

const SUBJECTS: [Subject; 3] = [LIMIT, THIS, APSCHEDULER];
const RATES: [u64; 9] = [
    2_000, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000,
];
/// For APScheduler.
const LOWER_RATES: [u64; 9] = [200, 400, 600, 800, 1_000, 1_300, 1_600, 2_000, 3_000];

/// A database, its measurements, and their batch size.
const DATABASES: [(&str, [&str; 4], &str); 2] = [
    (
        "SQLite",
        [
            "sustained/sqlite",
            "pile/sqlite",
            "start/sqlite",
            "pickup/sqlite",
        ],
        "4000",
    ),
    (
        "PostgreSQL",
        [
            "sustained/postgres",
            "pile/postgres",
            "start/postgres",
            "pickup/postgres",
        ],
        "1000",
    ),
];

/// A database for a single measurement.
#[derive(Debug)]
enum Database {
    File(PathBuf),
    Server(Cluster),
}

impl Database {
    /// Creates the database on a disk, which `/tmp` may not be.
    fn new(is_server: bool) -> Result<Self, String> {
        if is_server {
            return Ok(Self::Server(Cluster::start()?));
        }
        let name = format!("{PREFIX}{}.db", std::process::id());
        Ok(Self::File(Path::new("/var/tmp").join(name)))
    }

    fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite://{}", path.display()),
            Self::Server(cluster) => cluster.url(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::File(path) = self {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
            }
        }
    }
}

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    let is_quick = options.quick;
    let mut trials = Vec::new();
    for (database, scenarios, batch) in DATABASES {
        let is_server = database == "PostgreSQL";
        if is_server && !Cluster::is_installed() {
            eprintln!("   no PostgreSQL programs here: it is left out");
            continue;
        }
        for scenario in scenarios {
            for subject in SUBJECTS {
                let programs = programs.clone();
                let can = subject != APSCHEDULER
                    || scenario.starts_with("sustained")
                    || scenario.starts_with("pile");
                trials.push(Trial {
                    subject,
                    scenario,
                    count: 0,
                    run: can.then(|| -> Box<dyn Fn() -> _> {
                        Box::new(move || {
                            one(subject, scenario, batch, is_server, &programs, is_quick)
                        })
                    }),
                });
            }
        }
    }
    trials
}

/// Measures one cell.
fn one(
    subject: Subject,
    scenario: &str,
    batch: &str,
    is_server: bool,
    programs: &Programs,
    is_quick: bool,
) -> Result<Figures, String> {
    let database = Database::new(is_server)?;
    let url = database.url();
    let run = |name: &str, count: u64, seconds: u64| {
        let program = match subject.program {
            Program::Python => Program::Python,
            _ => Program::Own("bench-stores"),
        };
        let mut command = programs.command(program)?;
        command.env("BATCH", batch);
        process::run(command.args([name, &count.to_string(), &seconds.to_string(), &url]))
    };
    let name = scenario.split('/').next().unwrap_or(scenario);
    let pick = |measured, quick| if is_quick { quick } else { measured };
    match (name, subject) {
        ("sustained", LIMIT) => run("limit", pick(20_000, 500), pick(5, 2)),
        // With all jobs due at once, the speed of the writes is the limit as well.
        ("pile", LIMIT) => run("limit", pick(100_000, 500), pick(5, 2)),
        ("start" | "pickup", LIMIT) => {
            let figures = run("raw", pick(30, 5), 0)?;
            let (from, to) = if name == "start" {
                ("open_ms", "first_ms")
            } else {
                ("told_ms", "p50_ms")
            };
            Ok(Figures::from([(to.to_owned(), figures[from])]))
        }
        ("sustained", _) => {
            let rates = if subject == APSCHEDULER {
                &LOWER_RATES[..]
            } else {
                &RATES[..]
            };
            let rates = if is_quick { &[50, 100][..] } else { rates };
            highest(rates, |rate| run(name, rate, pick(5, 3)))
        }
        ("pile", _) => {
            let count = if subject == APSCHEDULER {
                1_000
            } else {
                100_000
            };
            let count = pick(count, 200);
            let figures = run(name, count, 0)?;
            let rate = count as f64 / figures["seconds"];
            Ok(Figures::from([("fires_per_second".to_owned(), rate)]))
        }
        ("start", _) => run(name, pick(100_000, 500), 0),
        _ => run(name, pick(30, 5), 0),
    }
}

pub fn table(section: &Section) -> String {
    let mut table = Table::new(&["the limit", "**this**", APSCHEDULER.title]);
    for (database, scenarios, _) in DATABASES {
        let [sustained, pile, start, pickup] = scenarios;
        if section.counts(sustained).is_empty() {
            continue;
        }
        for (title, scenario, name) in [
            ("fires a second, held", sustained, "fires_per_second"),
            ("CPU µs a fire", sustained, "cpu_us"),
            ("all due at once, fires a second", pile, "fires_per_second"),
            (
                "first fire above 100,000 stored jobs, ms",
                start,
                "first_ms",
            ),
            ("begun after another process added it, ms", pickup, "p50_ms"),
        ] {
            let cells = SUBJECTS.map(|subject| figure(section, subject, column(scenario, 0, name)));
            if cells.iter().all(|cell| cell == UNMEASURED) {
                continue;
            }
            table.row(&format!("{database}: {title}"), &cells);
        }
    }
    table.finish()
        + "\nSQLite with WAL and `synchronous=FULL`, here with `claim_batch(4_000)`; PostgreSQL as it comes, on this \
           machine, its CPU not counted. A rate is held if 98 % of what was due in five seconds ran in them, with an \
           executor as large as there are jobs; APScheduler has two threads, which is its best. 100,000 jobs due at \
           once here, 1,000 there, and full history here, none there."
}
