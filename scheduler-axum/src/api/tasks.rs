//! Tasks of the program.

use axum::extract::State;

use crate::model::task::{TaskBody, TaskList};
use crate::openapi::responses::Common;
use crate::problem::Answer;
use crate::query::Query;
use crate::reply::ok;
use crate::state::Shared;

/// Tasks of the program, ordered by name
#[utoipa::path(
    get, path = "/tasks", operation_id = "listTasks", tag = "tasks",
    responses((status = 200, body = TaskList), Common),
)]
pub(crate) async fn list(State(web): Shared, query: Query) -> Answer {
    query.finish()?;
    let tasks = web.scheduler.tasks();
    let items = tasks
        .iter()
        .map(|task| TaskBody::new(task, web.creatable.contains(task.name)))
        .collect();
    Ok(ok(&TaskList { items }))
}
