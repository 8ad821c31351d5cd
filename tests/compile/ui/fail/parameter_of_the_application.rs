use std::sync::Arc;

use scheduler_core::prelude::*;

struct AppState;

struct State<T>(T);

struct Label;

impl FromContext for Label {
    fn from_context(_: &JobContext) -> Result<Self, TaskFailure> {
        Ok(Self)
    }
}

#[scheduled_job(interval = "5m")]
async fn by_reference(state: &AppState) {}

#[scheduled_job(interval = "5m")]
async fn of_axum(State(state): State<AppState>) {}

#[scheduled_job(interval = "5m")]
async fn in_an_arc(state: Arc<AppState>) {}

#[scheduled_job(interval = "5m")]
async fn by_a_pattern(Data(state): Data<AppState>) {}

#[scheduled_job(interval = "5m")]
async fn optional(state: Option<Data<AppState>>) {}

#[scheduled_job(interval = "5m")]
async fn not_marked(label: Label) {}

fn main() {}
