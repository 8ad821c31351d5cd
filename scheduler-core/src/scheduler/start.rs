//! Starting a scheduler from its configuration: everything is checked, then the store is brought up to date, then the
//! drivers start.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};

use scheduler_triggers::Trigger;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::builder::{Builder, Selection};
use super::find::store_error;
use super::prepare::{Rules, StoreRules};
use super::{Scheduler, Shutdown};
use crate::definition_hash::Written;
use crate::driver::Driver;
use crate::engine::port::StorePort;
use crate::engine::registry::{Registry, missing_data};
use crate::engine::shutdown_report::{ShutdownReport, Stopped};
use crate::engine::{Announcements, Engine};
use crate::error::{Error, NameKind, StartError, StartErrors};
use crate::event::EventBus;
use crate::health::HealthLog;
use crate::id::{JobId, RunIds, check_name};
use crate::named::Named;
use crate::node::Identities;
use crate::policy::{Policies, PolicyPatch, SharedPolicies};
use crate::reconcile::{Change, StaticJob};
use crate::store::Claimable;
use crate::task::definition::{JobDefinition, TaskDefinition};
use crate::task::started_run::Home;

/// A configuration without errors.
pub(super) struct Checked {
    builder: Builder,
    stores: Named<Arc<StorePort>>,
    registry: Registry,
    defaults: Policies,
    jobs: StaticJobs,
}

/// The jobs defined in code.
#[derive(Default)]
struct StaticJobs {
    by_store: Named<Vec<StaticJob>>,
    run_on_start: Vec<JobId>,
    /// The crates that define them, each with its number of jobs.
    crates: Vec<(&'static str, usize)>,
}

/// The number of jobs that are checked or searched for before other tasks get their turn.
const AT_ONCE: usize = 16;

/// The warning for a scheduler that cannot run anything.
const NOTHING_DEFINED: &str = "no `#[scheduled_job]` and no `#[task]` is part of this program, so nothing can run: if a library crate defines them, add `scheduler_core::include_jobs!(that_crate);`, because the linker leaves out a crate that nothing names";

/// Lists the crates with their numbers of jobs, as in `billing (3), reports (1)`.
fn jobs_per_crate(crates: &[(&str, usize)]) -> String {
    let each = crates
        .iter()
        .map(|(name, count)| format!("{name} ({count})"));
    each.collect::<Vec<_>>().join(", ")
}

/// Finds every error in the configuration.
pub(super) async fn check(
    builder: Builder,
    ports: Named<Arc<StorePort>>,
) -> (Checked, Vec<StartError>) {
    let (registry, mut errors) = Registry::collect();
    check_names(&builder, &mut errors);
    let defaults = builder
        .defaults
        .over(&Policies::default())
        .unwrap_or_else(|error| {
            errors.push(StartError::Defaults(error));
            Policies::default()
        });
    let mut selected = select(&builder, &registry, &mut errors);
    if builder.is_client {
        // A client leaves them to the nodes, which may have executors, stores and values that it lacks.
        selected.clear();
    }
    check_data(&builder, &registry, &selected, &mut errors);

    let stores = ports.map(|_, port| StoreRules {
        is_persistent: port.store().is_persistent(),
        now: port.now(),
    });
    let executors: Vec<Arc<str>> = builder.executors.names().cloned().collect();
    let rules = Rules {
        registry: &registry,
        zone: builder.zone,
        defaults: &defaults,
        stores: &stores,
        executors: (!builder.is_client).then_some(&*executors),
    };
    let jobs = static_jobs(&rules, &builder, &selected, &mut errors).await;
    let checked = Checked {
        builder,
        stores: ports,
        registry,
        defaults,
        jobs,
    };
    (checked, errors)
}

fn check_names(builder: &Builder, errors: &mut Vec<StartError>) {
    let names = builder.stores.names().chain(builder.executors.names());
    for name in names.chain(&builder.node_name) {
        if let Err(error) = check_name(NameKind::Part, name) {
            errors.push(StartError::Name(error));
        }
    }
}

/// Selects the jobs defined in code to schedule. Overrides and selections of nonexistent jobs are errors.
fn select(
    builder: &Builder,
    registry: &Registry,
    errors: &mut Vec<StartError>,
) -> Vec<&'static JobDefinition> {
    let mut expect = |call: &'static str, id: &str| {
        if registry.job(id).is_none() {
            errors.push(StartError::UnknownJob {
                call,
                job: id.to_owned(),
                suggestion: registry.nearest_job(id),
            });
        }
    };
    for id in builder.overrides.0.keys() {
        expect(".overrides(…)", id);
    }
    for id in &builder.expected_jobs {
        expect(".expect_jobs(…)", id);
    }
    match &builder.selection {
        Selection::All => registry.jobs().to_vec(),
        Selection::None => Vec::new(),
        Selection::Only(ids) => {
            for id in ids {
                expect(".only(…)", id);
            }
            let chosen = registry.jobs().iter().filter(|job| ids.contains(job.id));
            chosen.copied().collect()
        }
    }
}

/// Finds values that the tasks of this scheduler's jobs need and that were not provided. A task without such a job
/// does not need anything yet: its jobs are refused when they are added here, and left to other nodes when they were
/// added there.
fn check_data(
    builder: &Builder,
    registry: &Registry,
    selected: &[&'static JobDefinition],
    errors: &mut Vec<StartError>,
) {
    let chosen = registry.tasks_where(|task| selected.iter().any(|job| job.task == task.name));
    for task in chosen {
        errors.append(&mut missing_data(task, &builder.data));
    }
}

/// Returns the names of the tasks that this scheduler can run: those with all the values that they need.
fn complete_tasks(builder: &Builder, registry: &Registry) -> HashSet<Arc<str>> {
    let is_complete = |task: &TaskDefinition| missing_data(task, &builder.data).is_empty();
    let incomplete = registry.tasks_where(|task| !builder.is_client && !is_complete(task));
    if !incomplete.is_empty() {
        let names: Vec<&str> = incomplete.iter().map(|task| task.name).collect();
        tracing::info!(
            tasks = %names.join(", "),
            "tasks without the values that they ask for: their jobs are left to other nodes"
        );
    }
    let tasks = registry.tasks_where(|task| builder.is_client || is_complete(task));
    tasks.into_iter().map(|task| task.name.into()).collect()
}

/// Creates the jobs defined in code, except those with errors.
async fn static_jobs(
    rules: &Rules<'_>,
    builder: &Builder,
    selected: &[&'static JobDefinition],
    errors: &mut Vec<StartError>,
) -> StaticJobs {
    let mut jobs = StaticJobs::default();
    for (index, definition) in selected.iter().enumerate() {
        if index % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        match static_job(rules, builder, definition) {
            Ok(job) => {
                // Jobs are ordered by package.
                let package = definition.location.package;
                match jobs.crates.last_mut() {
                    Some((last, count)) if *last == package => *count += 1,
                    _ => jobs.crates.push((package, 1)),
                }
                if job.policies.run_on_start {
                    jobs.run_on_start.push(job.id.clone());
                }
                let policies = job.policies.clone();
                let in_store = jobs.by_store.get_or_insert_with(&policies.store, Vec::new);
                in_store.push(job);
            }
            Err(error) => errors.push(StartError::Job {
                error,
                location: definition.location,
            }),
        }
    }
    jobs
}

/// Creates one job defined in code from the defaults, then the attribute, then the overrides.
fn static_job(
    rules: &Rules<'_>,
    builder: &Builder,
    definition: &JobDefinition,
) -> Result<StaticJob, Error> {
    let id = definition.id;
    let change = builder.overrides.0.get(id);
    let trigger: Trigger = match change.and_then(|change| change.trigger.clone()) {
        Some(trigger) => trigger,
        None => definition
            .trigger
            .parse()
            .map_err(|source| Error::Trigger {
                job: id.to_owned(),
                source,
            })?,
    };
    let attribute = (definition.policies)();
    let nothing = PolicyPatch::default();
    let over = change.map_or(&nothing, |change| &change.policies);
    let arguments = definition.arguments().map_err(|error| Error::Arguments {
        job: id.to_owned(),
        argument: None,
        problem: format!("`args(…)` cannot be written as JSON: {error}"),
    })?;
    let prepared = rules.prepare(
        id,
        definition.task,
        &arguments,
        &trigger,
        &[&attribute, over],
    )?;
    // The defaults of this library are not included, because another version may have others.
    let named = builder.defaults.clone().then(attribute).then(over.clone());
    let written = Written {
        trigger: &trigger,
        zone: rules.zone,
        task: prepared.task.name,
        is_sync: prepared.task.is_sync,
        arguments: &arguments,
        policies: &named.written(),
    };
    Ok(StaticJob::new(
        prepared.id,
        written,
        Arc::new(prepared.policies),
        definition.paused.map(Box::from),
    ))
}

/// Opens the stores, and queries the time of each. Errors in the configuration are still found, and a store that does
/// not answer is one of the errors.
pub(super) async fn open(
    builder: &Builder,
) -> (Named<Arc<StorePort>>, Vec<String>, Result<(), Error>) {
    let clock = &builder.clock;
    let stores = builder
        .stores
        .map(|name, store| StorePort::new(name.clone(), store.clone(), clock.clone()));
    let (mut warnings, mut answered) = (Vec::new(), Ok(()));
    for port in stores.values() {
        match port.measure_clock().await {
            Ok(offset) => warnings.extend(offset.map(|offset| port.clocks_differ(offset))),
            Err(error) => answered = answered.and(Err(store_error(port, error))),
        }
    }
    (stores, warnings, answered)
}

/// Brings the stores up to date and starts the drivers.
pub(super) async fn launch(
    mut checked: Checked,
    warnings: Vec<String>,
) -> Result<Scheduler, Error> {
    let runtime = Handle::current();
    let StaticJobs {
        by_store,
        run_on_start,
        crates,
    } = std::mem::take(&mut checked.jobs);
    let is_client = checked.builder.is_client;
    let count: usize = by_store.values().map(Vec::len).sum();
    let claimable = Claimable {
        static_jobs: by_store
            .values()
            .flatten()
            .map(|job| job.id.clone())
            .collect(),
        tasks: complete_tasks(&checked.builder, &checked.registry),
    };
    if !is_client {
        reconcile_all(&checked.stores, by_store).await?;
    }
    let (report_sender, report) = watch::channel(None);
    let scheduler = Scheduler(engine(checked, claimable, report));
    for warning in warnings {
        scheduler.0.warn(warning);
    }
    if scheduler.0.registry().is_empty() && !is_client {
        tracing::warn!("{NOTHING_DEFINED}");
        scheduler.0.warn(NOTHING_DEFINED.to_owned());
    }
    tracing::info!(
        jobs = count,
        crates = %jobs_per_crate(&crates),
        timezone = %scheduler.0.zone,
        zone_data = %scheduler_triggers::tz_version(),
        "scheduler started"
    );
    let drivers = if is_client {
        Vec::new()
    } else {
        start_drivers(&runtime, &scheduler.0).await?
    };
    runtime.spawn(super::shutdown::join(
        scheduler.clone(),
        drivers,
        report_sender,
    ));
    if !is_client {
        run_all_at_start(&scheduler, run_on_start).await?;
    }
    Ok(scheduler)
}

fn engine(
    checked: Checked,
    claimable: Claimable,
    report: watch::Receiver<Option<ShutdownReport>>,
) -> Arc<Engine> {
    let builder = checked.builder;
    let executors = builder.executors.map(|_, executor| executor.clone());
    Arc::new_cyclic(|engine: &Weak<Engine>| Engine {
        clock: builder.clock,
        zone: builder.zone,
        defaults: checked.defaults,
        policies: SharedPolicies::default(),
        registry: checked.registry,
        home: Arc::new(Home {
            data: Arc::new(builder.data),
            engine: engine.clone(),
        }),
        claimable,
        stores: checked.stores,
        executors,
        batch: builder.batch,
        is_client: builder.is_client,
        node_name: builder.node_name.unwrap_or_else(crate::node::default_name),
        node_version: builder.node_version,
        identities: Identities::new(builder.identity_seed),
        events: EventBus::new(builder.event_capacity),
        announcements: Announcements::default(),
        health: HealthLog::default(),
        run_ids: builder
            .identity_seed
            .map_or_else(RunIds::random, RunIds::new),
        redaction: builder.redaction,
        paused: AtomicBool::new(false),
        stopping: AtomicBool::new(false),
        searches: Arc::new(Semaphore::new(super::search::AT_ONCE)),
        report,
    })
}

/// Joins all stores before the first driver starts, so that none runs if one store does not answer.
async fn start_drivers(
    runtime: &Handle,
    engine: &Arc<Engine>,
) -> Result<Vec<JoinHandle<Stopped>>, Error> {
    let mut drivers = Vec::new();
    for port in engine.stores.values() {
        let driver = Driver::new(engine.clone(), port.clone()).joined().await;
        drivers.push(driver.map_err(|error| store_error(port, error))?);
    }
    let drivers = drivers.into_iter();
    Ok(drivers.map(|driver| runtime.spawn(driver.run())).collect())
}

/// Runs the jobs that are to run when the scheduler starts, and stops it if one cannot be run.
async fn run_all_at_start(scheduler: &Scheduler, jobs: Vec<JobId>) -> Result<(), Error> {
    for id in jobs {
        if let Err(error) = scheduler.run_at_start(id.as_str()).await {
            // The caller does not get a handle to stop it with.
            scheduler.shutdown(Shutdown::abort()).await;
            return Err(error);
        }
    }
    Ok(())
}

/// Brings every store in line with the code.
async fn reconcile_all(
    stores: &Named<Arc<StorePort>>,
    mut jobs: Named<Vec<StaticJob>>,
) -> Result<(), Error> {
    let mut errors = Vec::new();
    for (name, port) in stores.iter() {
        let mut definitions = jobs.remove(name).unwrap_or_default();
        let now = port.now();
        for (index, definition) in definitions.iter_mut().enumerate() {
            if index % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            definition.find_first(now);
        }
        let results = port.store().reconcile(definitions, now).await;
        let results = results.map_err(|error| store_error(port, error))?;
        for result in results {
            match result.change {
                Change::TakenByDynamic => errors.push(StartError::IdTaken {
                    job: result.id.to_string(),
                    store: name.to_string(),
                }),
                Change::Unchanged => {}
                change => tracing::debug!(job_id = %result.id, ?change, "job of the code"),
            }
            if result.flips {
                tracing::warn!(job_id = %result.id, "the stored definition is the one before the last: two versions of the program take turns, and each start undoes the other's change");
            }
            for skipped in result.skipped {
                tracing::info!(job_id = %skipped.job_id, reason = %skipped.reason, count = skipped.count, "not run");
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Start(StartErrors(errors)))
    }
}
