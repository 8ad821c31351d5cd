//! The health of the scheduler: in detail for callers with access, in one word for everyone.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scheduler_core::Phase;

use crate::model::health::{HealthBody, Probe, ProbeStatus};
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::reply::{json_bytes, ok};
use crate::state::Shared;

/// The health of the scheduler of this process
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "health",
    responses((status = 200, body = HealthBody), Common),
)]
pub(crate) async fn show(State(web): Shared, query: Query) -> Answer {
    query.finish()?;
    Ok(ok(&HealthBody::from(web.scheduler.health())))
}

/// Liveness: should the process keep running?
///
/// Yes, until its scheduler has stopped. A process that is about to stop is alive, since it drains its runs.
#[utoipa::path(
    get, path = "/health/live", operation_id = "getLive", tag = "health",
    security(()),
    responses((status = 200, body = Probe), (status = 503, body = Probe)),
)]
pub(crate) async fn live(State(web): Shared) -> Response {
    answer(match web.scheduler.health().phase {
        Phase::Stopped => ProbeStatus::Stopped,
        _ => ProbeStatus::Ok,
    })
}

/// Readiness: should requests be sent to this process?
///
/// Yes, if its stores work and it is not about to stop. It is also ready while its scheduler is paused, since the API
/// works.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "getReady", tag = "health",
    security(()),
    responses((status = 200, body = Probe), (status = 503, body = Probe)),
)]
pub(crate) async fn ready(State(web): Shared) -> Response {
    let health = web.scheduler.health();
    let works = health.stores.iter().all(|store| store.error.is_none());
    answer(match health.phase {
        Phase::Stopped => ProbeStatus::Stopped,
        Phase::Stopping => ProbeStatus::Stopping,
        _ if !works => ProbeStatus::StoreFailing,
        Phase::Paused => ProbeStatus::Paused,
        _ => ProbeStatus::Ok,
    })
}

fn answer(status: ProbeStatus) -> Response {
    let code = if status.is_good() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json_bytes(code, &Probe { status })
}
