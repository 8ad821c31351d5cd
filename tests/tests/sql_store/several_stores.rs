//! Memory, SQLite and PostgreSQL side by side in one scheduler, and jobs that move between them.

use scheduler_core::prelude::*;
use scheduler_core::{
    Builder, Error, ExportedJobs, ImportConflict, JobRecord, MemoryStore, RunFilter, RunId, RunNow,
    RunState, SkipReason, SkippedFilter,
};

use crate::support::{Node, Place, go_on, later, note, plain, until};

#[scheduled_job(interval = "24h", id = "static-in-file", store = "file")]
async fn static_in_file() {}

/// A scheduler with the stores `default` (in memory), `file` and, if there is a server, `server`.
struct Stores {
    places: Vec<Place>,
    names: Vec<&'static str>,
    node: Node,
}

impl Stores {
    async fn open() -> Self {
        Self::with(Builder::without_static_jobs).await
    }

    async fn with(set_up: impl FnOnce(Builder) -> Builder) -> Self {
        let places = Place::each();
        let mut names = vec!["default"];
        let mut stores = Vec::new();
        for place in &places {
            let name = match place {
                Place::Sqlite(_) => "file",
                Place::Postgres(_) => "server",
            };
            names.push(name);
            stores.push((name, place.store().await));
        }
        let first = stores[0].1.clone();
        let node = Node::with(first, |builder| {
            let mut builder = builder.store(MemoryStore::new());
            for (name, store) in stores {
                builder = builder.named_store(name, store);
            }
            set_up(builder)
        })
        .await;
        Self {
            places,
            names,
            node,
        }
    }

    async fn get(&self, id: &str) -> JobRecord {
        self.node.scheduler.get_job(id).await.unwrap().unwrap()
    }

    async fn export(&self, store: &str) -> ExportedJobs {
        let exported = self.node.scheduler.export_jobs(store).await.unwrap();
        // In transit it is text.
        serde_json::from_str(&serde_json::to_string(&exported).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn each_job_is_in_the_store_that_it_names_and_all_run() {
    let stores = Stores::open().await;
    for name in &stores.names {
        let id = format!("in-{name}");
        stores
            .node
            .add(plain().id(&*id).store(*name).interval("100ms"))
            .await;
    }
    for name in &stores.names {
        let id = format!("in-{name}");
        stores.node.ran(&id, 3).await;
        assert_eq!(stores.get(&id).await.policies.store, *name);
        assert!(stores.node.runs(&id).await.len() >= 2);
    }
    for place in &stores.places {
        assert_eq!(place.number("SELECT count(*) FROM scheduler_jobs").await, 1);
    }
    let jobs = stores.node.scheduler.get_jobs().await.unwrap();
    assert_eq!(jobs.len(), stores.names.len());
    stores.node.stop().await;
}

#[tokio::test]
async fn an_id_belongs_to_one_job_over_all_stores() {
    let stores = Stores::open().await;
    for home in &stores.names {
        let id = format!("of-{home}");
        stores.node.add(later(plain()).id(&*id).store(*home)).await;
        for other in &stores.names {
            let job = later(plain()).id(&*id).store(*other);
            let error = stores.node.scheduler.add_job(job).await.unwrap_err();
            assert!(
                matches!(&error, Error::JobExists { job } if *job == id),
                "{error}"
            );
        }
    }
    stores.node.stop().await;
}

#[tokio::test]
async fn finished_job_stays_in_its_store_until_the_job_that_takes_its_id_is_stored() {
    let stores = Stores::open().await;
    let scheduler = &stores.node.scheduler;
    let home = *stores.names.last().unwrap();
    stores.node.add(plain().id("once").store(home).now()).await;
    stores.node.ran("once", 1).await;
    until("it has finished", async || {
        let running = RunFilter::new().job("once").state(RunState::Running);
        let is_open = !scheduler
            .list_runs(&running)
            .await
            .unwrap()
            .items
            .is_empty();
        stores.get("once").await.is_finished() && !is_open
    })
    .await;
    stores.node.add(later(plain()).id("taken")).await;

    let jobs = ["once", "taken"].map(|id| later(plain()).id(id));
    let error = scheduler.add_jobs(jobs).await.unwrap_err();
    assert!(
        matches!(&error, Error::JobExists { job } if job == "taken"),
        "{error}"
    );
    assert_eq!(stores.get("once").await.policies.store, home);

    stores.node.add(later(plain()).id("once")).await;
    assert_eq!(stores.get("once").await.policies.store, "default");
    let jobs = scheduler.get_jobs().await.unwrap();
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    stores.node.stop().await;
}

#[tokio::test]
async fn a_store_that_was_not_given_is_named_with_those_that_were() {
    let stores = Stores::open().await;
    let job = later(plain()).store("disk");
    let error = stores
        .node
        .scheduler
        .add_job(job)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`disk`") && error.contains("`file`"),
        "{error}"
    );
    let error = stores.node.scheduler.export_jobs("disk").await.unwrap_err();
    assert!(matches!(error, Error::NoStore { .. }), "{error}");
    stores.node.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_stops_neither_the_others_nor_what_is_asked_of_them() {
    let file = Place::sqlite();
    let store = file.store().await;
    // Two names, so that either store may be asked first.
    for name in ["archive", "zoo"] {
        let node = Node::with(store.clone(), |builder| {
            let builder = builder
                .store(MemoryStore::new())
                .named_store(name, store.clone());
            builder.without_static_jobs()
        })
        .await;
        let (scheduler, log) = (&node.scheduler, &node.log);
        node.add(plain().id("in-memory").interval("100ms")).await;
        node.add(later(go_on::job()).id("long")).await;
        node.add(later(plain()).id("in-file").store(name)).await;
        file.run("ALTER TABLE scheduler_jobs RENAME TO away; ALTER TABLE scheduler_runs RENAME TO runs_away").await;
        until("the file fails", async || !scheduler.health().is_ok()).await;

        node.ran("in-memory", log.count("in-memory") + 3).await;
        assert!(scheduler.get_job("in-memory").await.unwrap().is_some());
        scheduler.pause_job("in-memory").await.unwrap();
        let RunNow::Started(run) = scheduler.run_job_now("long").await.unwrap() else {
            panic!("it has room");
        };
        assert!(scheduler.get_run(run).await.unwrap().is_some());
        scheduler.cancel_run(run).await.unwrap();
        for error in [
            scheduler.get_job("in-file").await.unwrap_err(),
            scheduler.get_jobs().await.unwrap_err(),
            scheduler.cancel_run(RunId::from_u128(1)).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::Store { store, .. } if store == name),
                "{error}"
            );
        }
        let health = scheduler.health();
        let failing: Vec<&str> = health
            .stores
            .iter()
            .filter(|store| store.error.is_some())
            .map(|store| &*store.name)
            .collect();
        assert_eq!(failing, [name]);

        file.run("ALTER TABLE away RENAME TO scheduler_jobs; ALTER TABLE runs_away RENAME TO scheduler_runs").await;
        until("the file works again", async || scheduler.health().is_ok()).await;
        scheduler.remove_job("in-file").await.unwrap();
        node.stop().await;
    }
}

/// Returns the same job without its store.
fn without_slot(mut job: JobRecord) -> JobRecord {
    let mut policies = (*job.policies).clone();
    policies.store = "".into();
    job.policies = policies.into();
    job
}

#[tokio::test]
async fn jobs_move_between_all_kinds_of_stores_and_are_equal() {
    let stores = Stores::open().await;
    let scheduler = &stores.node.scheduler;
    let kinds = [
        note::job("a \"text\" with \0 in it".into())
            .cron("*/5 8-18 * * mon-fri")
            .timezone(Tz::Europe__Berlin),
        plain()
            .interval("90m")
            .max_instances(3)
            .retries(2)
            .jitter(std::time::Duration::from_secs(30)),
        plain()
            .date("2099-12-31T23:59:59Z")
            .paused("not before it is time"),
    ];
    for from in &stores.names {
        for to in &stores.names {
            if from == to {
                continue;
            }
            for (number, job) in kinds.iter().enumerate() {
                let id = format!("job-{number}");
                stores.node.add(job.clone().id(id).store(*from)).await;
            }
            let exported = stores.export(from).await;
            assert_eq!(exported.jobs().len(), 3);
            for job in exported.jobs() {
                scheduler.remove_job(job.id.as_str()).await.unwrap();
            }
            let count = scheduler
                .import_jobs(to, exported.clone(), ImportConflict::Refuse)
                .await
                .unwrap();
            assert_eq!(count, 3);
            for job in exported.jobs() {
                let moved = stores.get(job.id.as_str()).await;
                assert_eq!(moved.policies.store, *to);
                assert_eq!(
                    without_slot(moved),
                    without_slot(job.clone()),
                    "{from} to {to}"
                );
                scheduler.remove_job(job.id.as_str()).await.unwrap();
            }
        }
    }
    stores.node.stop().await;
}

/// Waits until a paused scheduler no longer claims: a claim may still be in progress.
async fn settled(stores: &Stores, job: &str) {
    let mut watermark = stores.get(job).await.watermark;
    let mut same = 0;
    until("it rests", async || {
        let now = stores.get(job).await.watermark;
        let is_quiet = stores.node.scheduler.health().live_runs == 0;
        same = if now == watermark && is_quiet {
            same + 1
        } else {
            0
        };
        watermark = now;
        same == 10
    })
    .await;
}

#[tokio::test]
async fn a_job_that_moves_misses_nothing_and_runs_nothing_twice() {
    let stores = Stores::open().await;
    let scheduler = &stores.node.scheduler;
    let mut home = stores.names[0];
    let job = plain().id("nomad").interval("50ms").coalesce("all(1000)");
    stores.node.add(job.max_instances(1000)).await;
    for next in stores.names.iter().chain(&stores.names).skip(1) {
        stores
            .node
            .ran("nomad", stores.node.log.count("nomad") + 3)
            .await;
        scheduler.pause();
        settled(&stores, "nomad").await;
        let exported = stores.export(home).await;
        scheduler.remove_job("nomad").await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        let count = scheduler
            .import_jobs(next, exported, ImportConflict::Refuse)
            .await
            .unwrap();
        assert_eq!(count, 1);
        home = next;
        scheduler.resume();
    }
    stores
        .node
        .ran("nomad", stores.node.log.count("nomad") + 3)
        .await;
    scheduler.pause_job("nomad").await.unwrap();
    until("all is recorded", async || {
        stores
            .node
            .runs("nomad")
            .await
            .iter()
            .all(|run| run.state == RunState::Succeeded)
    })
    .await;
    let filter = scheduler_core::RunFilter::new().job("nomad").limit(1_000);
    let mut times: Vec<_> = scheduler
        .list_runs(&filter)
        .await
        .unwrap()
        .items
        .iter()
        .map(|run| run.scheduled_for)
        .collect();
    times.sort_unstable();
    for pair in times.windows(2) {
        assert_eq!(
            (pair[1] - pair[0]).num_milliseconds(),
            50,
            "every fire time once"
        );
    }
    stores.node.stop().await;
}

#[tokio::test]
async fn an_import_that_meets_a_taken_id_does_as_it_is_reported() {
    let stores = Stores::open().await;
    let scheduler = &stores.node.scheduler;
    for to in &stores.names {
        for id in ["a", "b", "c"] {
            stores
                .node
                .add(later(note::job("old".into())).id(id).store(*to))
                .await;
        }
        let exported = stores.export(to).await;
        scheduler.remove_job("a").await.unwrap();
        scheduler.remove_job("c").await.unwrap();
        stores
            .node
            .add(
                later(note::job("changed".into()))
                    .id("b")
                    .store(*to)
                    .replace_existing(true),
            )
            .await;
        let text = async || {
            let job = stores.get("b").await;
            job.arguments
                .get("text")
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };

        let refused = scheduler
            .import_jobs(to, exported.clone(), ImportConflict::Refuse)
            .await;
        let error = refused.unwrap_err();
        assert!(
            matches!(&error, Error::JobExists { job } if job == "b"),
            "{error}"
        );
        assert!(
            scheduler.get_job("a").await.unwrap().is_none(),
            "{to}: all or none"
        );
        assert!(
            scheduler.get_job("c").await.unwrap().is_none(),
            "{to}: all or none"
        );

        let kept = scheduler
            .import_jobs(to, exported.clone(), ImportConflict::Keep)
            .await
            .unwrap();
        assert_eq!((kept, &*text().await), (2, "changed"));
        let replaced = scheduler
            .import_jobs(to, exported, ImportConflict::Replace)
            .await
            .unwrap();
        assert_eq!((replaced, &*text().await), (3, "old"));
        for id in ["a", "b", "c"] {
            scheduler.remove_job(id).await.unwrap();
        }
    }
    stores.node.stop().await;
}

#[tokio::test]
async fn an_import_keeps_ids_unique_over_all_stores() {
    let stores = Stores::open().await;
    let scheduler = &stores.node.scheduler;
    stores.node.add(later(plain()).id("one")).await;
    let exported = stores.export("default").await;
    for conflict in [ImportConflict::Refuse, ImportConflict::Replace] {
        let error = scheduler
            .import_jobs("file", exported.clone(), conflict)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::JobExists { job } if job == "one"),
            "{conflict:?}: {error}"
        );
    }
    let kept = scheduler
        .import_jobs("file", exported, ImportConflict::Keep)
        .await
        .unwrap();
    assert_eq!(kept, 0);
    assert_eq!(
        stores.places[0]
            .number("SELECT count(*) FROM scheduler_jobs")
            .await,
        0
    );
    stores.node.stop().await;
}

#[tokio::test]
async fn an_import_takes_no_id_of_the_code() {
    let stores = Stores::with(|builder| builder.only(["static-in-file"])).await;
    let scheduler = &stores.node.scheduler;
    assert!(
        stores.export("file").await.jobs().is_empty(),
        "the code brings it"
    );
    let foreign = Stores::open().await;
    foreign.node.add(later(plain()).id("static-in-file")).await;
    foreign.node.add(later(plain()).id("other")).await;
    let exported = foreign.export("default").await;
    for conflict in [ImportConflict::Refuse, ImportConflict::Replace] {
        let error = scheduler
            .import_jobs("file", exported.clone(), conflict)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::StaticJob { .. }), "{error}");
        assert!(error.to_string().contains("several_stores.rs"), "{error}");
    }
    assert!(
        scheduler.get_job("other").await.unwrap().is_none(),
        "all or none"
    );
    foreign.node.stop().await;
    stores.node.stop().await;
}

#[tokio::test]
async fn a_form_of_another_version_is_refused() {
    let stores = Stores::open().await;
    stores.node.add(later(plain()).id("one")).await;
    let exported = stores.node.scheduler.export_jobs("default").await.unwrap();
    let json = serde_json::to_string(&exported)
        .unwrap()
        .replace("\"version\":1", "\"version\":2");
    let newer: ExportedJobs = serde_json::from_str(&json).unwrap();
    let error = stores
        .node
        .scheduler
        .import_jobs("file", newer, ImportConflict::Refuse)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Import { .. }), "{error}");
    assert!(error.to_string().contains("version 2"), "{error}");
    for bad in [
        r#"{"version":1}"#,
        r#"{"version":1,"jobs":[{"id":""}]}"#,
        r#"{"version":1,"jobs":[],"more":1}"#,
    ] {
        assert!(serde_json::from_str::<ExportedJobs>(bad).is_err(), "{bad}");
    }
    stores.node.stop().await;
}

#[tokio::test]
async fn what_came_due_on_the_way_is_handled_by_the_policies_of_the_job() {
    let stores = Stores::open().await;
    let scheduler = &stores.node.scheduler;
    for to in &stores.names[1..] {
        scheduler.pause();
        stores.node.add(plain().id("late").interval("50ms")).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let exported = stores.export("default").await;
        scheduler.remove_job("late").await.unwrap();
        scheduler
            .import_jobs(to, exported, ImportConflict::Refuse)
            .await
            .unwrap();
        let before = stores.node.log.count("late");
        scheduler.resume();
        stores.node.ran("late", before + 1).await;
        scheduler.remove_job("late").await.unwrap();
        let skipped = scheduler
            .list_skipped(&SkippedFilter::new().job("late"))
            .await
            .unwrap()
            .items;
        let coalesced = skipped
            .iter()
            .filter(|one| one.reason == SkipReason::Coalesced);
        assert!(
            coalesced.map(|one| one.count).max() >= Some(3),
            "{to}: {skipped:?}"
        );
    }
    stores.node.stop().await;
}
