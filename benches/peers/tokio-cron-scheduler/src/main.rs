//! tokio-cron-scheduler: adding jobs, and firing them.
//!
//! Its channels have room for all jobs, so that no fire is lost in a full channel.
//!
//! `peer-tokio-cron-scheduler jobs|same COUNT SECONDS`

use std::time::Duration;

use bench_measure::{Adding, Arguments, Report, arguments, fired_again, start_after, watch};
use tokio_cron_scheduler::{Job, JobScheduler};

#[tokio::main]
async fn main() {
    let Arguments {
        scenario,
        count,
        seconds,
        ..
    } = arguments();
    let report = match scenario.as_str() {
        "jobs" => jobs(count, seconds).await,
        "same" => same(count, seconds).await,
        _ => panic!("jobs|same"),
    };
    report.finish()
}

/// Adds jobs that are due in an hour, then idles.
async fn jobs(count: usize, seconds: u64) -> Report {
    let scheduler = scheduler(count).await;
    scheduler.start().await.unwrap();
    let adding = Adding::begin();
    for _ in 0..count {
        let hourly = Duration::from_secs(3_600);
        let job = Job::new_repeated_async(hourly, |_, _| Box::pin(async {})).unwrap();
        scheduler.add(job).await.unwrap();
    }
    tokio::task::spawn_blocking(move || adding.done(count, seconds))
        .await
        .unwrap()
}

/// Fires each of the given number of jobs every second.
async fn same(count: usize, seconds: u64) -> Report {
    let scheduler = scheduler(count).await;
    for number in 0..count {
        let fire = move |_, _| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(async move { fired_again(number) })
        };
        scheduler
            .add(Job::new_async("* * * * * *", fire).unwrap())
            .await
            .unwrap();
    }
    scheduler.start().await.unwrap();
    let start = start_after(Duration::from_secs(2));
    tokio::task::spawn_blocking(move || watch(start, count, seconds))
        .await
        .unwrap()
}

async fn scheduler(count: usize) -> JobScheduler {
    JobScheduler::new_with_channel_size(count.max(200))
        .await
        .unwrap()
}
