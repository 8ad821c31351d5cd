//! The service's own requests: sessions, and the schedules of its users.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};
use scheduler_core::prelude::*;
use scheduler_core::{Error, Job, RunIds};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::AnyPool;

use crate::jobs::TASKS_OF_USERS;

/// The prefix of the ids of users' jobs: only those can be deleted here.
const PREFIX: &str = "user_schedule_";

#[derive(Clone)]
struct Service {
    scheduler: Scheduler,
    db: AnyPool,
}

pub(crate) fn router(scheduler: Scheduler, db: AnyPool) -> Router {
    Router::new()
        .route("/schedules", post(create_schedule))
        .route("/schedules/{id}", delete(delete_schedule))
        .route("/sessions", post(create_session))
        .with_state(Service { scheduler, db })
}

#[derive(Deserialize)]
struct NewSchedule {
    cron: String,
    task_name: String,
}

/// A success response, in the form that this service's clients expect.
#[derive(Serialize)]
struct Done {
    data: Value,
}

async fn create_schedule(
    State(service): State<Service>,
    Json(new): Json<NewSchedule>,
) -> Result<(StatusCode, Json<Done>), Refused> {
    if !TASKS_OF_USERS.contains(&&*new.task_name) {
        return Err(Refused::unknown_task(&new.task_name));
    }
    let id = format!("{PREFIX}{}", unique(&service.scheduler));
    let job = Job::new(new.task_name).id(id).cron(&*new.cron);
    let job = service.scheduler.add_job(job).await?;
    let data = json!({ "status": "created", "job_id": job.id });
    Ok((StatusCode::CREATED, Json(Done { data })))
}

async fn delete_schedule(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<Done>, Refused> {
    if !id.starts_with(PREFIX) {
        return Err(Refused::no_schedule(&id));
    }
    let job = service.scheduler.remove_job(&id).await?;
    let data = json!({ "status": "deleted", "job_id": job.id });
    Ok(Json(Done { data }))
}

#[derive(Deserialize)]
struct NewSession {
    user_id: i64,
    /// How long it lasts, in seconds.
    seconds: u32,
}

/// A stand-in for a login, so that there is something to clean up.
async fn create_session(
    State(service): State<Service>,
    Json(new): Json<NewSession>,
) -> Result<(StatusCode, Json<Done>), Refused> {
    let expires_at = service.scheduler.store_now().timestamp() + i64::from(new.seconds);
    sqlx::query("INSERT INTO sessions (token, user_id, expires_at) VALUES ($1, $2, $3)")
        .bind(unique(&service.scheduler))
        .bind(new.user_id)
        .bind(expires_at)
        .execute(&service.db)
        .await
        .map_err(|error| Refused::failed(&error))?;
    let data = json!({ "status": "created", "expires_at": expires_at });
    Ok((StatusCode::CREATED, Json(Done { data })))
}

/// Returns a unique text.
fn unique(scheduler: &Scheduler) -> String {
    RunIds::random().next(scheduler.store_now()).to_string()
}

/// A response that says what is wrong.
struct Refused(StatusCode, String);

impl Refused {
    fn unknown_task(name: &str) -> Self {
        let known = TASKS_OF_USERS.join(", ");
        let text = format!("`{name}` cannot be scheduled: choose one of {known}");
        Self(StatusCode::UNPROCESSABLE_ENTITY, text)
    }

    fn no_schedule(id: &str) -> Self {
        Self(
            StatusCode::NOT_FOUND,
            format!("there is no schedule `{id}`"),
        )
    }

    /// Internal details are only logged.
    fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self(
            StatusCode::SERVICE_UNAVAILABLE,
            "try again later".to_owned(),
        )
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::JobNotFound { job, .. } => Self::no_schedule(&job),
            Error::Store { .. } | Error::Stopped => Self::failed(&error),
            // The scheduler's messages say what is wrong with the cron expression, and how to fix it.
            other => Self(StatusCode::UNPROCESSABLE_ENTITY, other.to_string()),
        }
    }
}

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
