//! A program that depends on the library but names nothing in it, so that the linker leaves it out.

#![allow(
    clippy::unwrap_used,
    reason = "whatever goes wrong here is a failed test"
)]

use scheduler_core::{Error, Scheduler, StartError};

#[tokio::test]
async fn expected_job_of_a_library_that_was_left_out_is_a_start_error() {
    let builder = Scheduler::builder().expect_jobs(["close_accounts"]);
    let Err(Error::Start(errors)) = builder.start().await else {
        unreachable!("the library is part of the program");
    };
    let errors: Vec<&StartError> = errors.iter().collect();
    assert!(matches!(errors[..], [StartError::UnknownJob { job, .. }] if job == "close_accounts"));
    let text = errors[0].to_string();
    assert!(
        text.contains("`.expect_jobs(…)` names the job `close_accounts`")
            && text.contains("include_jobs!"),
        "{text}"
    );
}

#[tokio::test]
async fn program_without_any_task_is_warned() {
    let scheduler = Scheduler::builder().start().await.unwrap();
    let warnings = scheduler.health().warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.text.contains("include_jobs!")),
        "{warnings:?}"
    );
    // A client runs no jobs anyway.
    let client = Scheduler::builder().client().start().await.unwrap();
    assert!(client.health().warnings.is_empty());
}
