//! Processes that share a store.

use axum::extract::State;

use crate::model::node::{NodeBody, NodeList};
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

/// Processes that share a store, live ones first
#[utoipa::path(
    get, path = "/nodes", operation_id = "listNodes", tag = "health",
    responses((status = 200, body = NodeList), Common),
)]
pub(crate) async fn list(State(web): Shared, query: Query) -> Answer {
    query.finish()?;
    let nodes = web.scheduler.list_nodes().await?;
    let (health, now) = (web.scheduler.health(), web.scheduler.store_now());
    let items = nodes
        .into_iter()
        .map(|node| NodeBody::new(node, &health, now))
        .collect();
    Ok(ok(&NodeList { items }))
}
