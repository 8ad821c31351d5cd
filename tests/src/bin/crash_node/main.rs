//! A node of the crash test: runs a store's jobs until it is shut down or killed.
//!
//! `crash_node URL JOURNAL NAME LEASE_MS`. It prints READY once it runs, shuts down in order on SIGTERM, and exits at
//! once when its input is closed, since its parent process is gone then.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for one test, which reads what it says"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "it lives in real time, as nodes do"
)]

mod notes;
mod tasks;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use scheduler_core::LocalExecutor;
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use tokio::signal::unix::{SignalKind, signal};

use notes::Notes;

/// The command-line options.
struct Orders {
    url: String,
    journal: String,
    name: String,
    lease: Duration,
}

impl Orders {
    fn read() -> Option<Self> {
        let mut arguments = std::env::args().skip(1);
        Some(Self {
            url: arguments.next()?,
            journal: arguments.next()?,
            name: arguments.next()?,
            lease: Duration::from_millis(arguments.next()?.parse().ok()?),
        })
    }
}

#[tokio::main]
async fn main() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be waited for");
    end_with_input();
    let level = std::env::var("CRASH_LOG").unwrap_or_else(|_| "warn".to_owned());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(
            level
                .parse::<tracing::Level>()
                .expect("a level in CRASH_LOG"),
        )
        .init();
    let orders = Orders::read().expect("usage: crash_node URL JOURNAL NAME LEASE_MS");
    let scheduler = tokio::select! {
        _ = terminate.recv() => return,
        scheduler = started(&orders) => scheduler,
    };
    println!("READY");
    terminate.recv().await;
    let report = scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(5)))
        .await;
    println!("{report}");
}

fn end_with_input() {
    std::thread::spawn(|| {
        let mut nothing = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut nothing);
        std::process::exit(1);
    });
}

/// Retries until it works: the database may be down.
async fn started(orders: &Orders) -> Scheduler {
    loop {
        match start(orders).await {
            Ok(scheduler) => return scheduler,
            Err(problem) => tracing::warn!(%problem, "not started yet"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn start(orders: &Orders) -> Result<Scheduler, Box<dyn std::error::Error>> {
    let store = SqlStore::builder()
        .lease(orders.lease)
        .keep_all_runs()
        .max_connections(4)
        .connect(&orders.url)
        .await?;
    let notes = Notes::open(Path::new(&orders.journal), &orders.name)?;
    let scheduler = Scheduler::builder()
        .store(store)
        .data(notes)
        .executor("narrow", LocalExecutor::with_limit(4))
        .node_name(orders.name.as_str())
        .start()
        .await?;
    Ok(scheduler)
}
