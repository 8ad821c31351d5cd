//! Run it: `cargo run -p web_app`, and open <http://127.0.0.1:8080/scheduler>.
//!
//! A web service that schedules its own work: sessions that expire, a daily report, schedules that users create and
//! delete over HTTP, and a page on which operators see and control all of it. The `README.md` in this folder
//! describes the settings, and requests to try.

mod api;
mod database;
mod jobs;
mod metrics;
mod serve;
mod settings;

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn;
use scheduler_axum::WebApi;
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use tokio::net::TcpListener;

use crate::settings::Settings;

/// How long requests and jobs may take to finish once the service is asked to stop: less than the 30 seconds after
/// which Kubernetes kills it.
const DRAIN: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let metrics = metrics::install()?;

    let settings = Settings::from_env()?;
    let db = database::open(&settings.database_url).await?;
    let scheduler = Scheduler::builder()
        .store(SqlStore::connect(&settings.database_url).await?)
        .data(db.clone())
        .timezone(settings.time_zone)
        .start()
        .await?;

    let page = WebApi::new(&scheduler, settings.access()?)
        .title("web_app")
        .allow_tasks(jobs::TASKS_OF_USERS);
    let app = Router::new()
        .merge(api::router(scheduler.clone(), db))
        .merge(metrics::router(metrics))
        .layer(from_fn(serve::limit))
        .nest_service("/scheduler", page.router());

    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: set LISTEN", settings.listen))?;
    let address = listener.local_addr()?;
    tracing::info!("the service is at http://{address}/, the page at http://{address}/scheduler");

    let server = serve::serve(listener, app, serve::HEAD, {
        let scheduler = scheduler.clone();
        async move {
            told_to_stop().await;
            // This also ends open event streams, for which the server would wait forever.
            scheduler.begin_shutdown();
        }
    });
    let server = tokio::spawn(server);
    told_to_stop().await;
    tracing::info!("stopping; told once more, it ends at once");
    let stopped = async {
        // Concurrently, so that both finish within one deadline.
        let (served, report) = tokio::join!(
            tokio::time::timeout(DRAIN, server),
            scheduler.shutdown(Shutdown::wait_up_to(DRAIN)),
        );
        tracing::info!("{report}");
        if let Ok(ended) = served {
            ended?;
        } else {
            tracing::warn!("some requests did not end within {DRAIN:?}");
        }
        anyhow::Ok(())
    };
    tokio::select! {
        result = stopped => result,
        () = told_to_stop() => anyhow::bail!("told to stop twice"),
    }
}

/// Waits for SIGTERM, which a deploy sends, or Ctrl-C.
async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM is not heard; Ctrl-C is"),
        }
    }
    let _ = interrupt.await;
}
