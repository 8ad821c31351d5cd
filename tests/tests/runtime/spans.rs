//! What a run writes to the logs.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use scheduler_core::prelude::*;

use crate::support::{World, seconds};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[task]
async fn talks() -> Result<(), String> {
    tracing::info!("before a wait");
    tokio::time::sleep(Duration::from_secs(1)).await;
    tracing::info!("after a wait");
    Err("and then this".into())
}

#[task]
fn talks_sync() {
    tracing::info!("from a thread");
}

#[tokio::test(start_paused = true)]
async fn each_run_is_a_span_that_names_job_run_attempt_and_fire_time() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    // Threads of sync tasks do not inherit the subscriber of this thread, so it is set for the whole process of this
    // test.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::new().await;
    world
        .add(
            talks::job()
                .id("talks")
                .date("2026-03-02T00:00:10Z")
                .retries(1),
        )
        .await;
    world
        .add(talks_sync::job().id("sync").date("2026-03-02T00:00:10Z"))
        .await;
    world
        .add(
            crate::support::work::job(60)
                .id("slow")
                .date("2026-03-02T00:00:10Z")
                .timeout(seconds(5).to_std().unwrap()),
        )
        .await;
    world.advance(seconds(20)).await;
    let text = lines.text();
    assert!(
        text.contains("scheduler started jobs=0 crates= timezone=UTC zone_data=20"),
        "{text}"
    );
    for (said, attempt) in [
        ("before a wait", 1),
        ("after a wait", 1),
        ("after a wait", 2),
    ] {
        let run = format!("attempt={attempt} scheduled_for=2026-03-02T00:00:10+00:00");
        assert!(
            text.lines()
                .any(|line| line.contains("run{job_id=talks run_id=")
                    && line.contains(&run)
                    && line.ends_with(said)),
            "{said}, {attempt}:\n{text}"
        );
    }
    assert!(
        text.lines()
            .any(|line| line.contains("run{job_id=sync ") && line.ends_with("from a thread"))
    );
    let line_of = |said: &str| {
        let mut lines = text.lines().filter(|line| line.contains(said));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no `{said}`:\n{text}"));
        assert_eq!(lines.next(), None, "`{said}` is logged once");
        line
    };
    for (said, attempt) in [
        ("WARN run{job_id=talks ", 1),
        ("ERROR run{job_id=talks ", 2),
    ] {
        let line = line_of(said);
        let (span, event) = line.split_once("}: ").unwrap();
        assert!(
            span.contains(&format!("attempt={attempt} "))
                && span.ends_with("outcome=\"failed\" error=\"and then this\""),
            "{line}"
        );
        assert!(
            event.contains("failed job_id=talks") && event.contains("error=and then this"),
            "{line}"
        );
    }
    let succeeded = line_of(": succeeded ");
    assert!(
        succeeded.contains("run{job_id=sync ") && succeeded.contains("outcome=\"succeeded\"}"),
        "{succeeded}"
    );
    let timed_out = line_of(": timed out ");
    assert!(
        timed_out.contains("run{job_id=slow ")
            && timed_out.contains("outcome=\"timed_out\" error="),
        "{timed_out}"
    );
}

#[task]
async fn fails_after_a_minute() -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    Err("disk full".into())
}

#[tokio::test(start_paused = true)]
async fn cancelled_run_that_fails_is_logged_without_a_retry() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let job = fails_after_a_minute::job().id("job").retries(3);
    world.add(job.trigger(Trigger::now())).await;
    world.advance(seconds(58)).await;
    let run = world.runs().await[0].id;
    world.scheduler.cancel_run(run).await.unwrap();
    world.advance(seconds(10)).await;
    let text = lines.text();
    assert!(!text.contains("retry_in"), "{text}");
    let failed = |line: &str| line.contains("ERROR") && line.contains("failed job_id=job");
    assert!(text.lines().any(failed), "{text}");
}

/// A layer with a bug that shows once.
struct Closes(std::sync::atomic::AtomicBool);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Closes {
    fn on_close(&self, _: tracing::span::Id, _: tracing_subscriber::layer::Context<'_, S>) {
        let is_first = self.0.swap(false, std::sync::atomic::Ordering::SeqCst);
        assert!(!is_first, "a layer that fails");
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_panics_when_a_run_ends_takes_no_other_run_with_it() {
    use tracing_subscriber::layer::SubscriberExt;

    let closes = Closes(true.into());
    let registry = tracing_subscriber::registry().with(closes);
    let _guard = tracing::subscriber::set_default(registry);
    let world = World::new().await;
    let job = crate::support::work::job(0).id("job").interval("1m");
    world.add(job).await;
    world.advance(seconds(180)).await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!(run.state, scheduler_core::RunState::Succeeded);
    }
}
