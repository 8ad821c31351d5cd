//! A service with a scheduler, its API and its page, for programs that test it from the outside.
//!
//! ```text
//! api_server [--port 0] [--store memory | sqlite://file.db] [--allow-all | --allow task,task]
//! ```
//!
//! The tokens are in `SCHEDULER_TOKEN` and `SCHEDULER_READ_TOKEN`; without the first, access is open. Prints its
//! address on one line, and stops on SIGTERM and SIGINT with ten seconds to drain.

#![allow(clippy::print_stdout, reason = "the address is for whoever started it")]

mod jobs;

use std::error::Error;
use std::time::Duration;

use scheduler_axum::{Access, WebApi};
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long runs may take to finish when the service stops.
const DRAIN: Duration = Duration::from_secs(10);

struct Options {
    port: u16,
    store: String,
    allowed: Vec<String>,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            port: 0,
            store: "memory".to_owned(),
            allowed: Vec::new(),
        };
        let mut arguments = arguments.skip(1);
        while let Some(name) = arguments.next() {
            if name == "--allow-all" {
                options.allowed = jobs::TASKS.map(str::to_owned).to_vec();
                continue;
            }
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--port" => options.port = value.parse()?,
                "--store" => options.store = value,
                "--allow" => options.allowed = value.split(',').map(str::to_owned).collect(),
                _ => return Err(format!("{name} is no option").into()),
            }
        }
        Ok(options)
    }
}

fn access() -> Result<Access, Box<dyn Error>> {
    let Ok(full) = std::env::var("SCHEDULER_TOKEN") else {
        return Ok(Access::open());
    };
    let access = Access::bearer(full)?;
    Ok(match std::env::var("SCHEDULER_READ_TOKEN") {
        Ok(read) => access.and_read_only(read)?,
        Err(_) => access,
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let options = Options::read(std::env::args())?;
    let builder = Scheduler::builder().timezone(Tz::Europe__Berlin);
    let builder = match options.store.as_str() {
        "memory" => builder,
        url => builder.store(SqlStore::connect(url).await?),
    };
    let scheduler = builder.start().await?;
    let web = WebApi::new(&scheduler, access()?)
        .allow_tasks(options.allowed)
        .title("Test service");
    let app = axum::Router::new().nest_service("/scheduler", web.router());
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    println!("http://{}/scheduler/", listener.local_addr()?);

    let mut terminate = signal(SignalKind::terminate())?;
    let stopping = scheduler.clone();
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            stopping.begin_shutdown();
        })
        .await?;
    let report = scheduler.shutdown(Shutdown::wait_up_to(DRAIN)).await;
    println!("{report}");
    Ok(())
}
