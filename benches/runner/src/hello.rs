//! A program with one job every five minutes: how long a build from scratch takes, from how many crates, and how
//! large the program is. The limit is tokio alone.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::generated::Project;
use crate::options::Options;
use crate::process::Figures;
use crate::programs::Programs;
use crate::results::Section;
use crate::rounds::Trial;
use crate::subject::{APALIS_CRON, CLOKWERK, LIMIT, Subject, THIS, TOKIO_CRON_SCHEDULER};
use crate::table::{Table, column, figure};

const SUBJECTS: [Subject; 5] = [
    Subject {
        title: "the limit: tokio alone",
        ..LIMIT
    },
    THIS,
    TOKIO_CRON_SCHEDULER,
    APALIS_CRON,
    CLOKWERK,
];

const THIS_MAIN: &str = r#"use scheduler_core::{Scheduler, Shutdown, scheduled_job};

#[scheduled_job(interval = "5m", id = "hello")]
async fn hello() {
    println!("hello");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scheduler = Scheduler::builder().start().await?;
    tokio::signal::ctrl_c().await?;
    scheduler.shutdown(Shutdown::wait()).await;
    Ok(())
}
"#;

const LIMIT_MAIN: &str = r#"#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::spawn(async {
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(300));
        loop {
            ticks.tick().await;
            println!("hello");
        }
    });
    tokio::signal::ctrl_c().await?;
    Ok(())
}
"#;

const TOKIO_CRON_SCHEDULER_MAIN: &str = r#"use tokio_cron_scheduler::{Job, JobScheduler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut scheduler = JobScheduler::new().await?;
    let hello = Job::new_async("0 */5 * * * *", |_, _| Box::pin(async { println!("hello") }))?;
    scheduler.add(hello).await?;
    scheduler.start().await?;
    tokio::signal::ctrl_c().await?;
    scheduler.shutdown().await?;
    Ok(())
}
"#;

const APALIS_CRON_MAIN: &str = r#"use apalis::prelude::*;
use apalis_cron::{CronScheduler, Tick};
use cron::Schedule;

async fn hello(_: Tick) {
    println!("hello");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let schedule: Schedule = "0 */5 * * * *".parse()?;
    let worker = WorkerBuilder::new("hello").backend(CronScheduler::new(schedule)).build(hello);
    worker.run_until(tokio::signal::ctrl_c()).await?;
    Ok(())
}
"#;

const CLOKWERK_MAIN: &str = r#"use std::time::Duration;

use clokwerk::{AsyncScheduler, TimeUnits};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut scheduler = AsyncScheduler::new();
    scheduler.every(5.minutes()).run(|| async { println!("hello") });
    tokio::spawn(async move {
        loop {
            scheduler.run_pending().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    tokio::signal::ctrl_c().await?;
    Ok(())
}
"#;

/// Returns the dependencies of a subject, and the source of its program.
fn source(subject: Subject, programs: &Programs) -> (String, &'static str) {
    let tokio = |more: &str| {
        format!(
            "tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"signal\"{more}] }}\n"
        )
    };
    match subject.name {
        "this" => {
            let path = programs.repository().join("scheduler-core");
            let path = path.canonicalize().unwrap_or(path);
            (
                tokio("") + &format!("scheduler-core = {{ path = {path:?} }}"),
                THIS_MAIN,
            )
        }
        "tokio-cron-scheduler" => (
            tokio("") + "tokio-cron-scheduler = \"0.15\"",
            TOKIO_CRON_SCHEDULER_MAIN,
        ),
        "apalis-cron" => (
            tokio("") + "apalis = \"1\"\napalis-cron = \"1\"\ncron = \"0.17\"",
            APALIS_CRON_MAIN,
        ),
        "clokwerk" => (tokio(", \"time\"") + "clokwerk = \"0.4\"", CLOKWERK_MAIN),
        _ => (tokio(", \"time\""), LIMIT_MAIN),
    }
}

pub fn trials(options: &Options, programs: &Programs) -> Vec<Trial> {
    // An unoptimized build also proves that everything compiles.
    let is_release = !options.quick;
    let trial = |subject: Subject| {
        let project = Rc::new(OnceCell::<Result<Project, String>>::new());
        let programs = programs.clone();
        let run: Box<dyn Fn() -> _> = Box::new(move || {
            let project = project.get_or_init(|| {
                let (dependencies, main) = source(subject, &programs);
                Project::new(
                    &format!("hello-{}", subject.name),
                    &dependencies,
                    &[("main.rs".into(), main.into())],
                )
            });
            let project = project.as_ref().map_err(Clone::clone)?;
            let took = project.build(is_release)?;
            let size = std::fs::metadata(project.program(is_release))
                .map_err(|error| error.to_string())?
                .len();
            Ok(Figures::from([
                ("build_s".to_owned(), took.as_secs_f64()),
                ("crates".to_owned(), project.packages()? as f64),
                ("kib".to_owned(), size as f64 / 1_024.0),
            ]))
        });
        Trial {
            subject,
            scenario: "hello",
            count: 0,
            run: Some(run),
        }
    };
    SUBJECTS.into_iter().map(trial).collect()
}

pub fn table(section: &Section) -> String {
    let mut table = Table::new(&["build from nothing, s", "crates", "program, KiB"]);
    for subject in SUBJECTS {
        let cells = ["build_s", "crates", "kib"];
        table.row(
            subject.title,
            &cells.map(|name| figure(section, subject, column("hello", 0, name))),
        );
    }
    table.finish() + "\n`cargo build --release` with all sources fetched, and `strip = true`."
}
