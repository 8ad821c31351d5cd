//! Checks before anything runs.

use scheduler_core::prelude::*;
use scheduler_core::{
    Builder, DataRemedy, Error, JobOverride, LocalExecutor, Overrides, PolicyPatch, StartError,
};

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

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Level;

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Err(format!("`{text}` is not a level"))
    }
}

#[scheduled_job(interval = "1h", id = "impossible_default")]
async fn impossible_default(#[arg(default = "x")] level: Level) {
    let _ = level;
}

#[scheduled_job(interval = "1h", id = "panicking_default")]
async fn panicking_default(#[arg(default = "".parse::<u8>().unwrap())] level: u8) {
    let _ = level;
}

#[tokio::test]
async fn default_that_cannot_be_made_is_refused_before_anything_runs() {
    let builder = Scheduler::builder().only(["impossible_default", "panicking_default"]);
    let text = builder.start().await.unwrap_err().to_string();
    for expected in [
        "job `impossible_default`: task `impossible_default`: the default of argument `level` cannot be made: \"x\": `x` is not a level",
        "job `panicking_default`: task `panicking_default`: argument `level`: ",
        "called `Result::unwrap()`",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in:\n{text}");
    }

    let scheduler = Scheduler::builder().without_static_jobs().start().await;
    let scheduler = scheduler.unwrap();
    let job = Job::new("impossible_default").id("added").interval("1h");
    let refused = scheduler.add_job(job).await;
    assert!(matches!(
        refused,
        Err(Error::Arguments { argument: Some(name), .. }) if name == "level"
    ));
}

#[tokio::test]
async fn client_starts_without_what_the_jobs_of_the_code_name() {
    let client = Scheduler::builder().client().only(["mail"]).start().await;
    let client = client.unwrap();
    assert!(client.get_jobs().await.unwrap().is_empty());
    // The nodes may have an executor with this name.
    let job = crate::support::work::job(0).id("job").interval("1h");
    let job = client.add_job(job.executor("mails")).await.unwrap();
    assert_eq!(job.policies.executor, "mails");
    let job = crate::support::work::job(0).id("other").interval("1h");
    let refused = client.add_job(job.store("archive")).await;
    assert!(matches!(
        refused,
        Err(Error::UnknownPart { what: "store", .. })
    ));
    // Defaults are computed where the job runs, possibly from data that only the nodes have.
    let job = Job::new("panicking_default").id("defaulted").interval("1h");
    client.add_job(job.clone()).await.unwrap();
    let refused = client.add_job(job.argument("level", "x").id("wrong")).await;
    assert!(matches!(refused, Err(Error::Arguments { .. })));
    let misspelt = Scheduler::builder().client().only(["mial"]).start().await;
    assert!(matches!(misspelt, Err(Error::Start(_))));
}

#[tokio::test]
async fn what_is_complete_starts() {
    let scheduler = Scheduler::builder()
        .only(["mail"])
        .data(Mailer)
        .executor("mails", LocalExecutor::with_limit(1))
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

struct Config;

#[task]
async fn reads_config(config: Data<Config>) {
    let _: &Config = &config;
}

#[task]
async fn reads_shared_config(config: Data<std::sync::Arc<Config>>) {
    let _: &Config = &config;
}

/// Returns the reason why a scheduler with this value refuses a job of this task.
async fn refusal(set_up: impl FnOnce(Builder) -> Builder, job: Job) -> (DataRemedy, String) {
    let scheduler = set_up(Scheduler::builder().without_static_jobs());
    let scheduler = scheduler.start().await.unwrap();
    let error = scheduler.add_job(job.interval("1m")).await.unwrap_err();
    let text = error.to_string();
    let Error::MissingData { missing, .. } = error else {
        panic!("{text}");
    };
    let StartError::MissingData { remedy, .. } = *missing else {
        panic!("{text}");
    };
    (remedy, text)
}

#[tokio::test]
async fn a_value_in_the_wrong_wrapper_is_recognised() {
    let shared = std::sync::Arc::new(Config);
    let (remedy, text) = refusal(|builder| builder.data(shared), reads_config::job()).await;
    assert_eq!(remedy, DataRemedy::ShareArc);
    assert!(
        text.ends_with(
            "asks for `config: Data<Config>`, but the builder was given `Arc<Config>`: call `.shared_data(arc)` instead of `.data(…)`"
        ),
        "{text}"
    );

    let (remedy, text) = refusal(|builder| builder.data(Config), reads_shared_config::job()).await;
    assert_eq!(remedy, DataRemedy::AskForInner);
    assert!(
        text.ends_with(
            "but the builder was given `Config`: ask for `Data<Config>`, which is shared already"
        ),
        "{text}"
    );

    let (remedy, text) = refusal(
        |builder| builder.data(Data::new(Config)),
        reads_config::job(),
    )
    .await;
    assert_eq!(remedy, DataRemedy::ShareData);
    assert!(text.contains("`.shared_data(data.into_inner())`"), "{text}");

    let boxed: Box<dyn Notifier> = Box::new(Pager);
    let (remedy, text) = refusal(|builder| builder.data(boxed), notify::job()).await;
    assert_eq!(remedy, DataRemedy::ShareBox);
    assert!(
        text.contains("was given `Box<dyn Notifier>`: call `.shared_data(Arc::from(boxed))`"),
        "{text}"
    );

    let (remedy, text) = refusal(|builder| builder, notify::job()).await;
    assert_eq!(remedy, DataRemedy::ProvideShared);
    assert!(
        text.contains("add `.shared_data(…)` with an `Arc<dyn Notifier>`"),
        "{text}"
    );
}

#[tokio::test]
async fn only_jobs_that_this_scheduler_runs_demand_data() {
    // `mail` and `notify` need values that are missing; this scheduler does not run them.
    let scheduler = Scheduler::builder().only(["heartbeat"]).start().await;
    let scheduler = scheduler.unwrap();
    let refused = scheduler.add_job(reads_config::job().interval("1m")).await;
    assert!(matches!(refused, Err(Error::MissingData { .. })));
    scheduler.shutdown(Shutdown::wait()).await;
}

#[scheduled_job(interval = "1h", id = "heartbeat")]
async fn heartbeat() {}

#[tokio::test(start_paused = true)]
async fn a_stored_job_whose_data_this_node_lacks_waits_for_a_node_that_has_it() {
    use crate::support::{World, minutes};

    let clock = scheduler_core::testing::VirtualClock::at(crate::support::EPOCH).unwrap();
    let store = scheduler_core::MemoryStore::new();
    let client = Scheduler::builder()
        .client()
        .without_static_jobs()
        .store(store.clone())
        .clock(clock.clone())
        .start()
        .await
        .unwrap();
    let job = reads_config::job().id("job").interval("1m");
    client.add_job(job).await.unwrap();

    let without = World::on(clock.clone(), store.clone(), |builder| builder).await;
    without.advance(minutes(3)).await;
    assert!(without.runs().await.is_empty(), "it is left alone");
    assert!(without.skipped().await.is_empty());
    // A memory store has no other node that could run the job.
    let refused = without.scheduler.run_job_now("job").await;
    assert!(matches!(refused, Err(Error::MissingData { .. })));
    without.scheduler.shutdown(Shutdown::wait()).await;

    let with = World::on(clock, store, |builder| builder.data(Config)).await;
    with.advance(minutes(1)).await;
    assert!(!with.runs().await.is_empty());
}
