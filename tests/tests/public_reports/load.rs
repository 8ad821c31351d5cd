//! What must not grow.

use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{MemoryStore, RunFilter};

use crate::world::{World, minutes, work};

/// node-schedule#478, node-schedule#581: each one-shot job left something behind in memory.
#[tokio::test(start_paused = true)]
async fn one_shot_jobs_leave_nothing_behind() {
    const AT_ONCE: usize = 1_000;

    let clock = VirtualClock::at(crate::world::EPOCH).unwrap();
    let store = MemoryStore::new().keep_runs(AT_ONCE);
    let world = World::on(clock, store, |builder| builder).await;
    for batch in 0..10 {
        let jobs = (0..AT_ONCE).map(|number| {
            work::job(0)
                .id(format!("{batch}-{number}"))
                .trigger(Trigger::now())
        });
        world.scheduler.add_jobs(jobs).await.unwrap();
        world.advance(minutes(2)).await;
    }
    assert_eq!(world.journal.count(), 10 * AT_ONCE);
    let jobs = world.scheduler.get_jobs().await.unwrap();
    let runs = world
        .scheduler
        .runs(&RunFilter::new().limit(1_000_000))
        .await;
    assert!(jobs.len() <= 2 * AT_ONCE, "{} jobs are left", jobs.len());
    assert!(runs.unwrap().len() <= 2 * AT_ONCE);
}
