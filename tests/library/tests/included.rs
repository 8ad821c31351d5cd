//! A program that names the library because of its jobs.

#![allow(
    clippy::unwrap_used,
    reason = "whatever goes wrong here is a failed test"
)]

use scheduler_core::Scheduler;

scheduler_core::include_jobs!(scheduler_tests_library);

#[tokio::test]
async fn jobs_of_an_included_library_are_found() {
    let builder = Scheduler::builder().expect_jobs(["close_accounts", "send_invoices"]);
    let scheduler = builder.start().await.unwrap();
    assert_eq!(scheduler.get_jobs().await.unwrap().len(), 2);
    assert_eq!(scheduler.health().warnings.len(), 0);
}
