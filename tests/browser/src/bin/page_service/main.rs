//! The service under test: jobs in SQLite, and the page below `/scheduler/`.
//!
//! `page_service FILE [--port=N] [--tokens] [--crowd=N] [--story]`: with `--tokens` the API requires a token,
//! `--crowd` adds that many idle jobs, `--story` gives it a history to show. It prints the page's address, shuts down
//! in order on SIGTERM, and exits at once when its input is closed, since its parent process is gone then.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for tests, which read what it says and live in real time"
)]

mod orders;
mod story;
mod tasks;

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use scheduler_axum::{Access, WebApi};
use scheduler_browser_tests::{FULL_TOKEN, READ_TOKEN};
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use orders::Orders;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    end_with_input();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let orders = Orders::read()?;
    if orders.story {
        story::write(&orders.file).await?;
    }
    let store = SqlStore::builder()
        // The runs of a killed process are taken over quickly.
        .lease(Duration::from_secs(3))
        .connect(&format!("sqlite://{}", orders.file))
        .await?;
    let builder = Scheduler::builder().store(store);
    let builder = if orders.story {
        builder
            .only(story::JOBS)
            .node_name("web-2")
            .node_version("2.4.0")
    } else {
        builder
            .only(tasks::JOBS)
            .node_name("page-service")
            .node_version("1.0.0")
    };
    let scheduler = builder.start().await?;
    if orders.story {
        story::add(&scheduler).await?;
    } else {
        tasks::add(&scheduler, &orders).await?;
    }

    let access = if orders.tokens {
        Access::bearer(FULL_TOKEN)?.and_read_only(READ_TOKEN)?
    } else {
        Access::open()
    };
    let page = WebApi::new(&scheduler, access)
        .allow_tasks(if orders.story {
            story::CREATABLE.iter().copied()
        } else {
            tasks::CREATABLE.iter().copied()
        })
        .title(if orders.story {
            "Web shop"
        } else {
            "Page service"
        })
        .router();
    let app = Router::new()
        .nest_service("/scheduler", page.clone())
        .nest("/nested/scheduler", page)
        .route("/", get(|| async { Redirect::to("/scheduler/") }));
    let listener = listen(orders.port).await?;
    println!("LISTENING http://{}/scheduler/", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown({
            let scheduler = scheduler.clone();
            async move {
                terminate.recv().await;
                // This also ends open event streams, for which the server waits.
                scheduler.begin_shutdown();
            }
        })
        .await?;
    let report = scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(3)))
        .await;
    tracing::info!(%report, "stopped");
    Ok(())
}

fn end_with_input() {
    std::thread::spawn(|| {
        let mut nothing = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut nothing);
        std::process::exit(1);
    });
}

/// Binds a port. The port of a previous process may still be in use for a moment.
async fn listen(port: u16) -> std::io::Result<TcpListener> {
    for _ in 0..50 {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return Ok(listener);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    TcpListener::bind(("127.0.0.1", port)).await
}
