//! The caller's session.

use axum::Extension;
use axum::extract::State;

use crate::access::Role;
use crate::model::session::Session;
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

/// The caller's role, and properties of this service
#[utoipa::path(
    get, path = "/session", operation_id = "getSession", tag = "session",
    responses((status = 200, body = Session), Common),
)]
pub(crate) async fn show(
    State(web): Shared,
    Extension(role): Extension<Role>,
    query: Query,
) -> Answer {
    query.finish()?;
    let scheduler = &web.scheduler;
    let tasks = scheduler.tasks();
    let shares = scheduler
        .health()
        .stores
        .iter()
        .any(|store| store.lease.is_some());
    Ok(ok(&Session {
        role: role.as_str(),
        title: web.title.clone(),
        node: shares.then(|| scheduler.node_name().to_owned()),
        time_zone: scheduler.zone().name(),
        now: scheduler.store_now(),
        creatable_tasks: tasks
            .iter()
            .filter(|task| web.creatable.contains(task.name))
            .count(),
    }))
}
