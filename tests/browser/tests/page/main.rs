//! The page of a scheduler in a real Chromium, used as a person would use it.
//!
//! The effect of a click is checked twice: on the page, and in the API or the database.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // tests; the exception for them leaves out what they share

mod access;
mod accessibility;
mod conflict;
mod create;
mod deep_links;
mod delete;
mod edit;
mod job;
mod keyboard;
mod layout;
mod many_jobs;
mod numbers;
mod pause;
mod policy;
mod reconnect;
mod running;
mod screenshots;
mod secret_arguments;
mod shutdown;
mod slow_network;
mod timeline;
mod tour;
mod unseen;
mod views;

use scheduler_browser_tests::{Scene, Setup, testid, until};
use serde_json::{Value, json};

/// Returns a service with its static jobs and an open API.
fn service() -> Setup {
    Setup::new(env!("CARGO_BIN_EXE_page_service"))
}

/// Returns the selector of an element in a job's row.
fn in_row(id: &str, name: &str) -> String {
    format!(
        "[data-testid=\"job-row\"][data-id=\"{id}\"] {}",
        testid(name)
    )
}

/// Adds a job over the API that greets once a year.
async fn add_greeting(scene: &Scene, id: &str) -> Value {
    let job = json!({
        "id": id,
        "task": "greet",
        "arguments": { "name": "Ada", "times": 2, "loud": false, "tags": ["x"] },
        "trigger": "cron 0 9 1 1 *",
        "timezone": "Europe/Berlin",
    });
    scene.service.api().post("jobs", &job).await
}

/// Waits until the newest run of a job is in this state, and returns the run.
async fn newest_run(scene: &Scene, id: &str, state: &str) -> Value {
    let api = scene.service.api();
    until(
        &format!("the newest run of {id} is {state}"),
        async || match api.runs(id).await.first() {
            Some(run) if run["state"] == state => Ok(run.clone()),
            other => Err(format!("{other:?}")),
        },
    )
    .await
}
