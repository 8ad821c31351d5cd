//! Metrics for Prometheus.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the buckets, in seconds.
const SECONDS: [f64; 10] = [
    0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 1_800.0,
];

/// How often histogram samples are aggregated. Without this, they would pile up while nothing scrapes them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder; metrics are recorded from then on.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &SECONDS)?
        .install_recorder()?;
    scheduler_core::metrics::describe_metrics();
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut turns = tokio::time::interval(UPKEEP);
        loop {
            turns.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(handle)
}

pub(crate) fn router(handle: PrometheusHandle) -> Router {
    let text = |State(handle): State<PrometheusHandle>| async move { handle.render() };
    Router::new()
        .route("/metrics", get(text))
        .with_state(handle)
}
