//! What is checked before anything runs.

use scheduler_core::prelude::*;
use scheduler_core::{Executor, JobOverride, Overrides, PolicyPatch};

use crate::support::Journal;

struct Mailer;

#[scheduled_job(interval = "1h", id = "mail", executor = "mails", store = "archive")]
async fn mail(mailer: Data<Mailer>) {
    let _: &Mailer = &mailer;
}

#[scheduled_job(date = "2020-01-01T00:00:00Z", id = "past")]
async fn past() {}

#[tokio::test]
async fn every_mistake_is_told_at_once_before_anything_runs() {
    let overrides = Overrides::new().job("mial", JobOverride::new());
    let start = Scheduler::builder()
        .only(["mail", "past", "nobody"])
        .overrides(overrides)
        .defaults(PolicyPatch::new().max_instances(0))
        .start()
        .await;
    let error = start.unwrap_err();
    let text = error.to_string();
    for expected in [
        "the scheduler cannot start, for ",
        "`.overrides(…)` names the job `mial`, which is not written in this program: did you mean `mail`?",
        "`.only(…)` names the job `nobody`",
        "`.defaults(…)`: `max_instances`",
        "the task `mail` at tests/tests/runtime/start_up.rs:",
        "asks for `mailer: Data<Mailer>`, which was not provided: add `.data(…)`",
        "job `mail`: no executor named `mails`; there is `default`, `sync`",
        "job `past` would never fire",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in:\n{text}");
    }
}

#[tokio::test]
async fn what_is_complete_starts() {
    let scheduler = Scheduler::builder()
        .only(["mail"])
        .data(Mailer)
        .executor("mails", Executor::with_limit(1))
        .named_store("archive", scheduler_core::MemoryStore::new())
        .start()
        .await
        .unwrap();
    let job = scheduler.get_job("mail").await.unwrap().unwrap();
    assert_eq!(job.policies.store, "archive");
    assert!(scheduler.health().is_ok());
    assert_eq!(scheduler.health().stores.len(), 2);
    assert!(scheduler.shutdown(Shutdown::wait()).await.is_clean());
}

#[tokio::test]
async fn the_order_is_override_attribute_defaults_built_in() {
    let overrides: Overrides = serde_json::from_str(
        r#"{"mail": {"trigger": "every 2h", "policies": {"executor": "default", "retries": 7}}}"#,
    )
    .unwrap();
    let scheduler = Scheduler::builder()
        .only(["mail"])
        .data(Mailer)
        .data(Journal::default())
        .named_store("archive", scheduler_core::MemoryStore::new())
        .defaults(
            PolicyPatch::new()
                .max_instances(5)
                .retries(1)
                .store("nowhere"),
        )
        .overrides(overrides)
        .start()
        .await
        .unwrap();
    let job = scheduler.get_job("mail").await.unwrap().unwrap();
    let policies = &job.policies;
    assert_eq!(policies.executor, "default", "the override");
    assert_eq!(policies.store, "archive", "the attribute");
    assert_eq!((policies.max_instances, policies.retries), (5, 7));
    assert!(job.trigger.to_string().starts_with("every 2h"));
    scheduler.shutdown(Shutdown::wait()).await;
}

trait Notifier: Send + Sync {
    fn channel(&self) -> &'static str;
}

struct Pager;

impl Notifier for Pager {
    fn channel(&self) -> &'static str {
        "pager"
    }
}

#[task]
async fn notify(notifier: Data<dyn Notifier>) -> &'static str {
    notifier.channel()
}

#[tokio::test(start_paused = true)]
async fn a_task_asks_for_a_trait_and_gets_what_was_shared_under_it() {
    let notifier: std::sync::Arc<dyn Notifier> = std::sync::Arc::new(Pager);
    let world = crate::support::World::with(|builder| builder.shared_data(notifier)).await;
    world.add(notify::job().id("notify").interval("1m")).await;
    world.advance(crate::support::minutes(1)).await;
    assert_eq!(world.runs().await[0].value.as_deref(), Some("\"pager\""));
    let without = crate::support::World::new().await;
    let error = without
        .scheduler
        .add_job(notify::job().interval("1m"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("asks for `notifier: Data<dyn Notifier>`, which was not provided"),
        "{error}"
    );
}
