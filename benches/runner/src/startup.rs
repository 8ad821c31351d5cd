//! A program with thousands of annotated functions: how long `start()` takes, and when the first job runs. The limit
//! pushes the same number into a heap and spawns the first.

use std::cell::OnceCell;
use std::fmt::Write;
use std::process::Command;
use std::rc::Rc;

use crate::figure::grouped;
use crate::generated::Project;
use crate::options::Options;
use crate::process::{self, Figures};
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{LIMIT, Subject, THIS};
use crate::table::{Table, column, figure};

const SUBJECTS: [Subject; 2] = [LIMIT, THIS];
const COUNTS: [u64; 2] = [1_000, 10_000];
const QUICK: [u64; 2] = [20, 50];

/// The number of functions per module.
const MODULE: u64 = 500;

const MAIN: &str = r#"
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use scheduler_core::{Scheduler, scheduled_job};

static FIRST: OnceLock<Instant> = OnceLock::new();

#[scheduled_job(interval = "1h", id = "first", run_on_start = true)]
async fn first() {
    FIRST.get_or_init(Instant::now);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let scheduler = Scheduler::builder().start().await?;
    let started = begun.elapsed().as_secs_f64() * 1e3;
    let first = loop {
        if let Some(first) = FIRST.get() {
            break (*first - begun).as_secs_f64() * 1e3;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    drop(scheduler);
    println!("{{\"start_ms\":{started},\"first_ms\":{first}}}");
    Ok(())
}
"#;

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    let is_release = !options.quick;
    let mut trials = Vec::new();
    for count in options.pick(COUNTS, QUICK) {
        let limit = programs.clone();
        trials.push(Trial {
            subject: LIMIT,
            scenario: "startup",
            count,
            run: Some(Box::new(move || {
                let mut command = limit.command(LIMIT.program)?;
                process::run(command.args(["startup", &count.to_string(), "0"]))
            })),
        });
        let programs = programs.clone();
        let project = Rc::new(OnceCell::<Result<(Project, f64), String>>::new());
        trials.push(Trial {
            subject: THIS,
            scenario: "startup",
            count,
            run: Some(Box::new(move || {
                let project = project.get_or_init(|| build(count, &programs, is_release));
                let (project, built) = project.as_ref().map_err(Clone::clone)?;
                let mut figures: Figures =
                    process::run(&mut Command::new(project.program(is_release)))?;
                figures.insert("build_s".to_owned(), *built);
                Ok(figures)
            })),
        });
    }
    trials
}

/// Writes and builds a program with this many jobs.
fn build(count: u64, programs: &Programs, is_release: bool) -> Result<(Project, f64), String> {
    eprintln!("   building a program with {count} jobs");
    let path = programs.repository().join("scheduler-core");
    let path = path.canonicalize().unwrap_or(path);
    let dependencies = format!(
        "tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"time\"] }}\n\
         scheduler-core = {{ path = {path:?} }}"
    );
    let project = Project::new(&format!("startup-{count}"), &dependencies, &sources(count))?;
    let took = project.build(is_release)?;
    Ok((project, took.as_secs_f64()))
}

/// Returns one file per module of functions, and `main.rs`.
fn sources(count: u64) -> Vec<(String, String)> {
    let mut main = String::new();
    let mut files = Vec::new();
    for first in (0..count).step_by(usize::try_from(MODULE).unwrap_or(1)) {
        let _ = writeln!(main, "mod jobs_{first};");
        let mut text = String::from("use scheduler_core::scheduled_job;\n");
        for job in first..count.min(first + MODULE) {
            let when = match job % 4 {
                0 => format!("cron = \"{} {} * * *\"", job % 60, job % 24),
                1 => format!("interval = \"{}m\"", 60 + job % 600),
                2 => format!("cron = \"{} 9-17 * * mon-fri\"", job % 60),
                _ => format!("cron = \"{} 6 {} * *\"", job % 60, 1 + job % 28),
            };
            let _ = writeln!(
                text,
                "\n#[scheduled_job({when}, id = \"job-{job}\")]\nasync fn job_{job}() {{}}"
            );
        }
        files.push((format!("jobs_{first}.rs"), text));
    }
    files.push(("main.rs".to_owned(), main + MAIN));
    files
}

pub fn table(section: &Section) -> String {
    let counts = section.counts("startup");
    let columns = counts.iter().flat_map(|count| {
        let count = grouped(*count as i64);
        [
            format!("{count} jobs: `start()`, ms"),
            "first job runs, ms".to_owned(),
        ]
    });
    let columns: Vec<String> = columns.collect();
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for subject in SUBJECTS {
        let cells = counts.iter().flat_map(|&count| {
            ["start_ms", "first_ms"]
                .map(|name| figure(section, subject, column("startup", count, name)))
        });
        table.row(subject.title, &cells.collect::<Vec<_>>());
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_spread_over_files() {
        let sources = sources(1_200);
        let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["jobs_0.rs", "jobs_500.rs", "jobs_1000.rs", "main.rs"]
        );
        let functions: usize = sources
            .iter()
            .map(|(_, text)| text.matches("async fn job_").count())
            .sum();
        assert_eq!(functions, 1_200);
        assert!(
            sources[3]
                .1
                .starts_with("mod jobs_0;\nmod jobs_500;\nmod jobs_1000;\n")
        );
    }
}
