//! User-defined triggers that evaluate other triggers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::triggers::{CustomTrigger, TriggerError};

use crate::support::{World, minutes, work};

/// Forwards every call to another trigger.
#[derive(Debug)]
struct Wrapper {
    inner: Trigger,
    resolves: bool,
}

impl CustomTrigger for Wrapper {
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.inner.next_after(after)
    }

    fn resolve(
        &self,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Option<Arc<dyn CustomTrigger>>, TriggerError> {
        if !self.resolves {
            return Ok(None);
        }
        let inner = self.inner.resolve(now, zone)?;
        Ok(Some(Arc::new(Self { inner, ..*self })))
    }
}

fn wrap(inner: Trigger, resolves: bool) -> Trigger {
    Trigger::custom(Wrapper { inner, resolves })
}

/// Returns the first fire time of a trigger that wraps another one, alone and inside other triggers.
fn first_of_wrapped(text: &str, resolves: bool, zone: Tz) -> Vec<String> {
    let wrapped = || wrap(text.parse().unwrap(), resolves);
    let minutely = || Trigger::cron("* * * * *").unwrap();
    let late = || Trigger::at("2099-01-01T00:00:00Z").unwrap();
    let now: DateTime<Utc> = "2026-01-01T00:01:30Z".parse().unwrap();
    [
        wrapped(),
        Trigger::or(vec![late(), wrapped()]).unwrap(),
        Trigger::and(vec![minutely(), wrapped()]).unwrap(),
        Trigger::or(vec![late(), Trigger::and(vec![wrapped()]).unwrap()]).unwrap(),
        wrap(wrapped(), resolves),
    ]
    .into_iter()
    .map(|trigger| trigger.resolve(now, zone).unwrap())
    .map(|trigger| {
        trigger
            .next_after(now)
            .map(|at| at.to_rfc3339())
            .unwrap_or_default()
    })
    .collect()
}

#[test]
fn wrapped_trigger_that_is_not_resolved_counts_from_the_epoch() {
    for (text, first) in [
        ("every 5m", "2026-01-01T00:05:00+00:00"),
        ("every 5m end=2026-01-02", "2026-01-01T00:05:00+00:00"),
        ("calendar days=2", "2026-01-03T00:00:00+00:00"),
        ("calendar months=1 time=06:30", "2026-01-01T06:30:00+00:00"),
        ("0 6 * * *", "2026-01-01T06:00:00+00:00"),
    ] {
        let found = first_of_wrapped(text, false, Tz::UTC);
        assert_eq!(found, [first; 5], "{text}");
    }
}

#[test]
fn wrapped_trigger_is_resolved_through_its_wrapper() {
    for (text, first) in [
        ("every 5m", "2026-01-01T00:06:30+00:00"),
        ("0 6 * * *", "2026-01-01T22:00:00+00:00"),
        ("calendar days=2", "2026-01-02T16:00:00+00:00"),
    ] {
        let found = first_of_wrapped(text, true, Tz::Asia__Shanghai);
        // No instant of the interval is on a whole minute.
        let expected = if text == "every 5m" {
            [first, first, "", first, first]
        } else {
            [first; 5]
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn custom_trigger_around_an_interval_fires() {
    for resolves in [false, true] {
        let world = World::new().await;
        let every = || Trigger::every("2m").unwrap();
        let (once, twice) = (
            wrap(every(), resolves),
            wrap(wrap(every(), resolves), resolves),
        );
        let late = Trigger::at("2099-01-01T00:00:00Z").unwrap();
        let minutely = Trigger::cron("* * * * *").unwrap();
        for (id, trigger) in [
            ("alone", once.clone()),
            ("twice", twice),
            ("or", Trigger::or(vec![late, once.clone()]).unwrap()),
            ("and", Trigger::and(vec![minutely, once]).unwrap()),
        ] {
            world.add(work::job(0).id(id).trigger(trigger)).await;
        }
        world.advance(minutes(5)).await;
        let runs = world.runs().await;
        for id in ["alone", "twice", "or", "and"] {
            let count = runs.iter().filter(|run| run.job_id == id).count();
            // The first instant also counts unless the interval is anchored at the time when it was added.
            let expected = if resolves { 2 } else { 3 };
            assert_eq!(count, expected, "{id}, resolves: {resolves}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn custom_trigger_that_is_rescheduled_counts_from_then() {
    let world = World::new().await;
    world.add(work::job(0).id("job").interval("1h")).await;
    world.advance(minutes(3)).await;
    let every = wrap(Trigger::every("2m").unwrap(), true);
    let job = world.scheduler.reschedule_job("job", every).await.unwrap();
    assert_eq!(job.next_run_time(), Some(world.now() + minutes(2)));
    world.advance(minutes(4)).await;
    assert_eq!(world.runs().await.len(), 2);
}
