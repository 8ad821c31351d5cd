//! Run it in three terminals: `DATABASE_URL=postgres://localhost/postgres cargo run -p examples --bin cluster`,
//! kill one of them (`kill -9`), and watch the others take its runs over.
//!
//! All processes share one PostgreSQL database, and each fire time is claimed once. If a process dies during a run,
//! another one retries the run as the next attempt, as soon as the lease of the dead process has expired.
//! `-- --name b` names a node, `-- --for 20s` stops on its own, `-- --prefix demo_` uses other tables.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(
    clippy::disallowed_methods,
    reason = "the demo looks at the clock and waits"
)]

use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use scheduler_core::prelude::*;
use scheduler_core::{EventKind, NextEvent};
use scheduler_sqlx::SqlStore;

/// The task of eight jobs, each of which is running most of the time, on one node or another.
#[task]
async fn crunch(part: u32, ctx: JobContext, node: Data<NodeName>) {
    let (_, attempt) = ctx.fencing_token();
    let again = if attempt > 1 {
        format!("   <- attempt {attempt}: its first node is gone")
    } else {
        String::new()
    };
    let due = ctx.scheduled_for().format("%H:%M:%S");
    println!("{} [{}] part {part} for {due}{again}", clock(), node.0);
    tokio::time::sleep(Duration::from_secs(4)).await;
}

/// At most one run at a time over all nodes, on whichever node claims it first.
#[scheduled_job(interval = "10s", id = "list_nodes")]
async fn list_nodes(ctx: JobContext) -> anyhow::Result<()> {
    let Some(scheduler) = ctx.scheduler() else {
        return Ok(());
    };
    for node in scheduler.list_nodes().await? {
        let state = if node.is_alive { "alive" } else { "gone" };
        println!(
            "{}   node {} is {state}, {} running",
            clock(),
            node.name,
            node.running
        );
    }
    Ok(())
}

struct NodeName(String);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    let store = SqlStore::builder()
        .prefix(&options.prefix)
        .lease(Duration::from_secs(3))
        .connect(&options.url)
        .await
        .with_context(|| format!("opening {}", options.url))?;
    let scheduler = Scheduler::builder()
        .store(store)
        .node_name(options.name.clone())
        .node_version(env!("CARGO_PKG_VERSION"))
        .data(NodeName(options.name.clone()))
        .start()
        .await?;
    // All nodes add the same jobs: those of the first node stay.
    for part in 1..=8 {
        let job = crunch::job(part).id(format!("part-{part}")).interval("5s");
        match scheduler.add_job(job).await {
            Ok(_) | Err(scheduler_core::Error::JobExists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    println!(
        "{} [{}] started; kill -9 {} and watch the others",
        clock(),
        options.name,
        std::process::id()
    );
    tokio::spawn(report_others(scheduler.clone()));

    let stop = async {
        match options.run_for {
            Some(time) => tokio::time::sleep(time).await,
            None => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    };
    let how = Shutdown::wait_up_to(Duration::from_secs(5));
    let report = scheduler.run_until(stop, how).await;
    println!("STOPPED: {report}");
    Ok(())
}

/// Reports what happens to nodes, and to the runs of dead nodes.
async fn report_others(scheduler: Scheduler) {
    let mut events = scheduler.events();
    while let Some(next) = events.next().await {
        let NextEvent::Event(event) = next else {
            continue;
        };
        match event.kind {
            EventKind::TakenOver { job_id, .. } => {
                println!("{} TAKEN OVER: {job_id}, whose node is gone", clock());
            }
            EventKind::Lost { job_id, .. } => println!("{} LOST: {job_id}", clock()),
            EventKind::LeaseLost { .. } => println!("{} this node's lease ran out", clock()),
            EventKind::StoreFailed { error, .. } => println!("{} the database: {error}", clock()),
            EventKind::StoreRecovered { .. } => println!("{} the database is back", clock()),
            _ => {}
        }
    }
}

fn clock() -> String {
    Utc::now().format("%H:%M:%S%.3f").to_string()
}

struct Options {
    url: String,
    name: String,
    prefix: String,
    run_for: Option<Duration>,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let mut options = Self {
            url: std::env::var("DATABASE_URL")
                .context("set DATABASE_URL, for example to postgres://localhost/postgres")?,
            name: format!("node-{}", std::process::id()),
            prefix: "cluster_".to_owned(),
            run_for: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--name" => options.name = value,
                "--prefix" => options.prefix = value,
                "--for" => {
                    options.run_for = Some(scheduler_core::triggers::parse_duration(&value)?);
                }
                other => anyhow::bail!("no option {other}: there are --name, --prefix and --for"),
            }
        }
        Ok(options)
    }
}
