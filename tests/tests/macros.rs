//! The behaviour of the macros' output: registration, typed jobs, arguments, injection and results.
#![allow(
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::too_many_arguments,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unwrap_used,
    reason = "tasks for tests do little, and helpers of tests may panic"
)]

use scheduler_core::__private::{
    JobDefinition, ParameterRole, PolicyPatch, TaskBody, TaskDefinition, TaskOutput, inventory,
};
use scheduler_core::prelude::*;
use scheduler_core::{Arguments, Backoff, Coalesce, Overlap};
use std::time::Duration;

fn task(name: &str) -> &'static TaskDefinition {
    inventory::iter::<TaskDefinition>
        .into_iter()
        .find(|task| task.name == name)
        .unwrap_or_else(|| panic!("no task `{name}`"))
}

fn job(id: &str) -> &'static JobDefinition {
    inventory::iter::<TaskDefinition>
        .into_iter()
        .flat_map(|task| task.jobs)
        .find(|job| job.id == id)
        .unwrap_or_else(|| panic!("no job `{id}`"))
}

/// Runs every five minutes.
#[scheduled_job(interval = "5m")]
async fn plain() {}

#[test]
fn the_function_stays_callable() {
    let future = plain();
    drop(future);
    assert_eq!(doubled(4), 8);
}

#[task]
fn doubled(number: u32) -> u32 {
    number * 2
}

#[test]
fn names_and_ids_come_from_the_function() {
    assert_eq!(job("plain").task, "plain");
    assert_eq!(job("plain").trigger, "every 5m");
    let task = task("plain");
    assert!(!task.is_sync);
    assert!(task.parameters.is_empty());
    assert!(task.location.file.ends_with("macros.rs"));
    assert_eq!(task.location.package, "scheduler-tests");
    assert!(task.location.module.ends_with("macros"));
    let source = include_str!("macros.rs").lines().collect::<Vec<_>>();
    assert_eq!(
        source[task.location.line as usize - 1],
        "async fn plain() {}"
    );
    assert!(
        source[job("plain").location.line as usize - 1].starts_with("#[scheduled_job(interval")
    );
}

#[scheduled_job(
    cron = "0 6 * * mon-fri",
    timezone = "Asia/Shanghai",
    id = "report-1",
    name = "report",
    misfire_grace_time = "5m",
    coalesce = "all(20)",
    max_instances = 2,
    overlap = "queue(5)",
    timeout = "none",
    retries = 3,
    backoff = "1s..1m",
    jitter = "30s",
    at_most_once = false,
    executor = "slow",
    store = "main",
    run_on_start = true
)]
#[scheduled_job(
    cron(hour = 7, minute = "*/15", day_of_week = "sat"),
    gap = "skip",
    fold = "both",
    id = "report-2"
)]
#[scheduled_job(
    calendar_interval(months = 1, time = "02:30", timezone = "Europe/Berlin"),
    id = "report-3"
)]
#[scheduled_job(
    date = "2026-12-31T23:59:00",
    timezone = "Europe/Berlin",
    id = "report-4"
)]
#[scheduled_job(
    or(
        interval("1h", start = "2026-01-01T00:00:00Z"),
        cron = "0 6 * * *",
        cron("0 7 * * *", timezone = "UTC")
    ),
    id = "report-5"
)]
#[scheduled_job(
    interval = "1h",
    start_date = "2026-01-01T00:00:00Z",
    end_date = "2026-02-01T00:00:00Z",
    id = "report-6"
)]
async fn write_report() -> Result<(), std::io::Error> {
    Ok(())
}

#[test]
fn every_kind_of_trigger_has_its_text() {
    for (id, text) in [
        ("report-1", "cron 0 6 * * mon-fri timezone=Asia/Shanghai"),
        ("report-4", "at 2026-12-31T23:59:00 timezone=Europe/Berlin"),
    ] {
        assert_eq!(job(id).trigger, text);
    }
    for index in 1..=6 {
        let job = job(&format!("report-{index}"));
        assert_eq!(job.task, "report");
        let read: Trigger = job.trigger.parse().unwrap();
        assert_eq!(read.to_string(), job.trigger);
    }
}

#[test]
fn policies_are_those_of_the_builder() {
    let written = (job("report-1").policies)();
    let built = PolicyPatch::new()
        .misfire_grace_time(Duration::from_mins(5))
        .coalesce(Coalesce::All(20))
        .max_instances(2)
        .overlap(Overlap::Queue(5))
        .timeout(None)
        .retries(3)
        .backoff(Backoff::exponential(
            Duration::from_secs(1),
            Duration::from_mins(1),
        ))
        .jitter(Duration::from_secs(30))
        .at_most_once(false)
        .executor("slow")
        .store("main")
        .run_on_start(true);
    assert_eq!(written, built);
    assert_eq!((job("report-2").policies)(), PolicyPatch::new());
}

const LIMIT: u8 = 3;

#[scheduled_job(
    interval = "1h",
    id = "remind",
    args(user_id = 42, text = "stand-up", tags = vec!["a".to_owned()], address = "127.0.0.1", limit = LIMIT)
)]
#[scheduled_job(interval = "1h", id = "remind-bad-address", args(user_id = 1, text = "x", tags = vec![], address = "nowhere"))]
async fn remind(
    user_id: i64,
    text: String,
    tags: Vec<String>,
    address: std::net::IpAddr,
    #[arg(default)] limit: u8,
    #[arg(default = "hello")] greeting: std::borrow::Cow<'static, str>,
    #[arg(default = 7)] weight: u64,
    note: Option<String>,
    ctx: JobContext,
    #[inject] label: Label,
) -> Result<String, String> {
    let _ = (tags, address, limit, weight, note, ctx.attempt(), label);
    Ok(format!("{greeting} {user_id} {text}"))
}

struct Label;

impl FromContext for Label {
    fn from_context(_: &JobContext) -> Result<Self, TaskFailure> {
        Ok(Self)
    }
}

#[test]
fn arguments_of_an_attribute_have_the_parameters_types() {
    let arguments = job("remind").arguments().unwrap();
    assert_eq!(
        arguments.to_string(),
        r#"{"address":"127.0.0.1","limit":3,"tags":["a"],"text":"stand-up","user_id":42}"#
    );
    let error = job("remind-bad-address")
        .arguments()
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"nowhere\": invalid IP address"), "{error}");
}

#[test]
fn parameters_know_their_roles_and_what_may_be_left_out() {
    let told: Vec<_> = task("remind")
        .parameters
        .iter()
        .map(|parameter| match &parameter.role {
            ParameterRole::Injected(_) => {
                format!("{}: {} injected", parameter.name, parameter.type_name)
            }
            ParameterRole::Argument { required, .. } => {
                format!("{}: {} {required}", parameter.name, parameter.type_name)
            }
        })
        .collect();
    assert_eq!(
        told,
        [
            "user_id: i64 true",
            "text: String true",
            "tags: Vec<String> true",
            "address: std::net::IpAddr true",
            "limit: u8 false",
            "greeting: std::borrow::Cow<'static, str> false",
            "weight: u64 false",
            "note: Option<String> false",
            "ctx: JobContext injected",
            "label: Label injected",
        ]
    );
}

#[test]
fn stored_arguments_are_checked_by_type() {
    let check = |name: &str, arguments: &Arguments| {
        let parameter = task("remind")
            .parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .unwrap();
        match &parameter.role {
            ParameterRole::Argument { check, .. } => check
                .check(arguments)
                .map_err(|failure| failure.to_string()),
            ParameterRole::Injected(_) => panic!("{name} is injected"),
        }
    };
    let arguments = Arguments::new()
        .with("user_id", "x")
        .unwrap()
        .with("weight", -1)
        .unwrap();
    assert!(
        check("user_id", &arguments)
            .unwrap_err()
            .contains("argument `user_id`")
    );
    assert!(
        check("weight", &arguments)
            .unwrap_err()
            .contains("argument `weight`")
    );
    assert!(check("text", &arguments).unwrap_err().contains("missing"));
    assert_eq!(check("limit", &arguments), Ok(()));
    assert_eq!(check("note", &arguments), Ok(()));
}

#[test]
fn a_typed_job_takes_all_arguments_and_nothing_injected() {
    let job = remind::job(
        7,
        "text".into(),
        Vec::new(),
        [127, 0, 0, 1].into(),
        1,
        "hi".into(),
        2,
        None,
    );
    let shown = format!("{job:?}");
    assert!(
        shown.contains("remind") && shown.contains("\"user_id\":7"),
        "{shown}"
    );
}

mod elsewhere {
    use scheduler_core::prelude::*;

    #[task(name = "elsewhere.greet")]
    pub(crate) async fn greet(r#type: u8, mut count: u8) {
        count += r#type;
        let _ = count;
    }

    #[task]
    pub(super) fn r#loop(_: JobContext) {}
}

#[test]
fn one_import_brings_the_function_and_its_jobs() {
    use elsewhere::{greet, r#loop};
    drop(greet(1, 2));
    assert!(format!("{:?}", greet::job(1, 2)).contains("\"type\":1"));
    assert_eq!(task("elsewhere.greet").parameters[0].name, "type");
    let _ = r#loop::job();
    assert!(task("loop").is_sync);
}

#[test]
fn a_task_may_stand_inside_a_function() {
    #[task]
    async fn inner(count: u8) {
        let _ = count;
    }
    assert_eq!(task("inner").parameters.len(), 1);
    let _ = inner::job(3);
}

macro_rules! make {
    ($name:ident, $every:literal) => {
        #[scheduled_job(interval = $every)]
        async fn $name() {}
    };
}

make!(made_by_macro, "7s");

#[test]
fn macro_rules_may_write_tasks() {
    assert_eq!(job("made_by_macro").trigger, "every 7s");
}

macro_rules! make_with_body {
    ($name:ident, $every:expr, $body:block) => {
        #[scheduled_job(interval = $every, paused = "until it is wanted")]
        async fn $name() $body
    };
}

make_with_body!(made_with_a_body, "8s", { drop(plain()) });

#[test]
fn what_macro_rules_hand_on_is_read() {
    assert_eq!(job("made_with_a_body").trigger, "every 8s");
}

#[scheduled_job(interval = "5m", paused = true)]
async fn waits() {}

#[test]
fn a_job_is_added_paused_with_its_note() {
    assert_eq!(job("made_with_a_body").paused, Some("until it is wanted"));
    assert_eq!(job("waits").paused, Some(""));
    assert_eq!(job("plain").paused, None);
}

#[task]
#[cfg(any())]
async fn left_out_by_cfg() {}

#[test]
fn what_is_left_out_by_cfg_is_not_registered() {
    assert!(
        inventory::iter::<TaskDefinition>
            .into_iter()
            .all(|task| task.name != "left_out_by_cfg")
    );
}

#[scheduled_job(interval = "5m", id = "always")]
#[cfg_attr(all(), scheduled_job(interval = "1h", id = "by-cfg-attr"))]
#[cfg_attr(any(), scheduled_job(interval = "2h", id = "not-by-cfg-attr"))]
async fn by_cfg_attr() {}

#[test]
fn attributes_may_depend_on_cfg() {
    assert_eq!(job("always").task, job("by-cfg-attr").task);
    assert!(
        inventory::iter::<TaskDefinition>
            .into_iter()
            .flat_map(|task| task.jobs)
            .all(|job| job.id != "not-by-cfg-attr")
    );
}

#[task]
#[deprecated = "old"]
async fn out_of_date() {}

#[test]
fn a_deprecated_task_warns_its_callers_only() {
    assert_eq!(task("out_of_date").parameters.len(), 0);
}

#[test]
fn tasks_of_another_crate_are_found_and_scheduled() {
    use scheduler_tests_renamed::{by_path, jobs::doubled};
    assert_eq!(doubled(4), 8);
    let _: [scheduler_core::Job; 2] = [by_path::job(1), doubled::job(2)];
    let _ = scheduler_tests_renamed::r#gen::job(3);
    assert_eq!(task("gen").parameters[0].name, "gen");
    assert_eq!(
        job("renamed-path").location.package,
        "scheduler-tests-renamed"
    );
    assert_eq!(job("private_job").trigger, "cron hour=6");
    assert!(task("by_text").is_sync);
}

/// Runs a task's body without arguments and without the application's data.
fn carry_out(name: &str) -> TaskOutput {
    let context = scheduler_core::testing::context(name).unwrap();
    match (task(name).start)(&context) {
        Err(failure) => TaskOutput::Failed(failure),
        Ok(TaskBody::Sync(body)) => body(),
        Ok(TaskBody::Async(body)) => tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(body),
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[task]
async fn gives_nothing() {}

#[task]
async fn gives_a_value() -> Vec<u8> {
    tokio::task::yield_now().await;
    vec![1, 2]
}

#[task]
fn gives_by_alias(ctx: JobContext) -> Outcome<String> {
    Ok(ctx.job_id().to_owned())
}

#[task]
async fn fails_by_alias() -> Outcome<()> {
    Err("out of paper".into())
}

#[task]
fn fails_by_text() -> Result<u8, String> {
    Err("no luck".to_owned())
}

#[task]
fn gives_its_defaults(
    #[arg(default = "hello")] text: String,
    #[arg(default = 2 + 3)] count: u8,
    #[arg(default)] flag: bool,
    note: Option<u8>,
) -> (String, u8, bool, Option<u8>) {
    (text, count, flag, note)
}

#[task]
fn wants_an_argument(count: u8) -> u8 {
    count
}

#[task]
fn wants_data(pool: Data<u8>) -> u8 {
    *pool
}

#[test]
fn bodies_are_carried_out_and_their_results_recorded() {
    let value = |name: &str| match carry_out(name) {
        TaskOutput::Returned(value) | TaskOutput::Succeeded(value) => value.map(String::from),
        TaskOutput::Failed(failure) => panic!("{failure}"),
    };
    assert_eq!(value("gives_nothing"), None);
    assert_eq!(value("gives_a_value").as_deref(), Some("[1,2]"));
    assert_eq!(
        value("gives_by_alias").as_deref(),
        Some("\"gives_by_alias\"")
    );
    assert_eq!(
        value("gives_its_defaults").as_deref(),
        Some("[\"hello\",5,false,null]")
    );
}

#[test]
fn what_a_body_lacks_or_fails_with_is_reported() {
    let failure = |name: &str| match carry_out(name) {
        TaskOutput::Failed(failure) => failure.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(failure("fails_by_alias"), "out of paper");
    assert_eq!(failure("fails_by_text"), "no luck");
    assert!(failure("wants_an_argument").contains("argument `count` is missing"));
    assert!(failure("wants_data").contains("asks for `u8`, which was not provided"));
}

mod one_job_per_file {
    mod cleanup {
        use scheduler_core::prelude::*;

        #[scheduled_job(interval = "1h", id = "one-job-per-file", job_type = CleanupJob)]
        pub(crate) async fn cleanup(days: Option<u32>) {
            let _ = days;
        }
    }
    pub(crate) use cleanup::{CleanupJob, cleanup};
}

/// A function next to a module of the same name.
mod archive {
    pub(crate) fn oldest() -> u32 {
        7
    }
}

#[scheduled_job(
    interval = "1h",
    id = "beside-a-module",
    name = "beside_a_module",
    job_type = ArchiveJob
)]
fn archive() -> u32 {
    archive::oldest()
}

#[test]
fn a_function_goes_beside_a_module_of_its_name() {
    drop(one_job_per_file::cleanup(None));
    let typed = one_job_per_file::CleanupJob::job(Some(3)).id("cleanup-3");
    assert!(format!("{typed:?}").contains("cleanup-3"));
    assert_eq!(job("one-job-per-file").task, "cleanup");
    assert_eq!(archive(), 7);
    assert_eq!(job("beside-a-module").task, "beside_a_module");
}

/// Tasks of the same name in a module and in one that imports everything from it.
mod outer {
    use scheduler_core::prelude::*;

    #[task(name = "outer_report")]
    pub(crate) async fn report() {}

    pub(crate) mod inner {
        use super::*;

        #[task(name = "inner_report")]
        pub(crate) async fn report(copies: u8) {
            let _ = copies;
        }

        pub(crate) fn job() -> Job {
            report::job(2)
        }
    }
}

#[test]
fn a_task_hides_one_of_its_name_that_a_glob_imports() {
    assert_eq!(outer::inner::job().get_task(), "inner_report");
    assert_eq!(outer::report::job().get_task(), "outer_report");
}

macro_rules! probes {
    ($($name:ident),*) => {$(
        #[scheduled_job(interval = "1h", id = concat!("probe-", stringify!($name)), name = stringify!($name))]
        fn $name() {}
    )*};
}

probes!(probe_north, probe_south);

mod ids {
    pub(crate) const AUDIT: &str = "ids.audit";
}

const AUDIT_NAME: &str = concat!("audit", "-", "task");

#[scheduled_job(interval = "1h", id = ids::AUDIT, name = AUDIT_NAME)]
#[scheduled_job(interval = "2h", id = "ids.audit.rarely")]
fn audit(text: Option<String>) {
    let _ = text;
}

#[test]
fn ids_and_names_may_be_constants() {
    assert_eq!(job("probe-probe_north").task, "probe_north");
    assert_eq!(job("probe-probe_south").task, "probe_south");
    assert_eq!(job("ids.audit").task, "audit-task");
    assert_eq!(job("ids.audit.rarely").task, "audit-task");
    assert_eq!(task("audit-task").parameters.len(), 1);
    let typed = format!("{:?}", audit::job(None));
    assert!(typed.contains("audit-task"), "{typed}");
}

#[task]
fn has_items_with_a_self() -> u8 {
    struct Count(u8);
    impl Count {
        fn new() -> Self {
            Self(3)
        }
    }
    trait Doubled: Sized {
        fn doubled(self) -> Self;
    }
    impl Doubled for Count {
        fn doubled(self) -> Self {
            Self(self.0 * 2)
        }
    }
    enum Tree {
        Leaf,
        Node(Box<Self>),
    }
    let Tree::Node(leaf) = Tree::Node(Box::new(Tree::Leaf)) else {
        return 0;
    };
    if matches!(*leaf, Tree::Leaf) {
        Count::new().doubled().0
    } else {
        0
    }
}

#[test]
fn items_in_a_body_have_a_self_of_their_own() {
    assert_eq!(has_items_with_a_self(), 6);
    assert!(task("has_items_with_a_self").is_sync);
}

#[task]
async fn inner_error() -> Result<Result<u8, String>, tokio::task::JoinError> {
    tokio::task::spawn_blocking(|| "300".parse().map_err(|_| "over 255".to_owned())).await
}

#[task]
fn inner_error_in_an_option() -> Option<Result<(), String>> {
    Some(Err("over 255".to_owned()))
}

#[test]
fn an_error_inside_of_the_returned_value_is_a_failure() {
    for name in ["inner_error", "inner_error_in_an_option"] {
        let TaskOutput::Failed(failure) = carry_out(name) else {
            panic!("`{name}` counts as a success");
        };
        assert_eq!(failure.to_string(), "over 255");
    }
}
