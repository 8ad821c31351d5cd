//! Triggers of the user's own that ask other triggers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use scheduler_core::triggers::{CustomTrigger, TriggerError};

use crate::support::{World, minutes, work};

/// Passes every question on to another trigger.
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
            // The epoch counts, if the interval counts from there and not from when it is added.
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
