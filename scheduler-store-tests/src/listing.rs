//! Lists of jobs, in both orders.

use scheduler_core::JobId;
use scheduler_core::store::{JobOrder, JobQuery};

use crate::failure::{Done, ensure, ensure_eq};
use crate::jobs::odd_ids;
use crate::stage::{Stage, at, job};

async fn page(stage: &Stage, order: JobOrder, limit: usize) -> Done<Vec<JobId>> {
    let query = match order {
        JobOrder::Id { after } => JobQuery::by_id(after, limit),
        JobOrder::NextRun => JobQuery::by_next_run(limit),
    };
    let jobs = stage.store().list_jobs(&query).await?;
    Ok(jobs.into_iter().map(|job| job.id).collect())
}

pub(crate) async fn jobs_are_listed_by_id_in_pages(stage: &Stage) -> Done {
    let mut ids = odd_ids();
    ids.extend((0..40).map(|n| format!("job {n}")));
    for id in &ids {
        stage.add(job(id)).await?;
    }
    ids.sort_unstable();
    for limit in [1, 7, ids.len(), ids.len() + 1] {
        let mut after: Option<JobId> = None;
        let mut found = Vec::new();
        loop {
            let next = page(stage, JobOrder::Id { after }, limit).await?;
            ensure!(next.len() <= limit, "a page of {limit} has {}", next.len());
            let Some(last) = next.last() else { break };
            after = Some(last.clone());
            found.extend(next);
            ensure!(found.len() <= ids.len(), "pages of {limit} never end");
        }
        let found: Vec<&str> = found.iter().map(JobId::as_str).collect();
        ensure_eq!(found, ids, "pages of {limit}, in the order of their bytes");
    }
    let none = page(stage, JobOrder::Id { after: None }, 0).await?;
    ensure!(none.is_empty(), "a page of 0 has {}", none.len());
    Ok(())
}

pub(crate) async fn jobs_are_listed_by_the_prefix_of_their_ids(stage: &Stage) -> Done {
    let mut ids = odd_ids();
    ids.extend(["acme/1", "acme/2", "acme", "acme0", "ACME/1", "big-acme/1"].map(str::to_owned));
    for id in &ids {
        stage.add(job(id)).await?;
    }
    ids.sort_unstable();
    for prefix in [
        "acme/",
        "a",
        "100%",
        "_",
        "under_",
        "\u{1F680}",
        "\u{10FFFF}",
        "",
        "e",
        "x",
    ] {
        for limit in [1, 100] {
            let mut after = None;
            let mut found = Vec::new();
            loop {
                let query = JobQuery::by_id(after, limit).prefix(prefix);
                let page = stage.store().list_jobs(&query).await?;
                after = page.last().map(|job| job.id.clone());
                let is_last = page.len() < limit;
                found.extend(page.into_iter().map(|job| job.id.as_str().to_owned()));
                if is_last {
                    break;
                }
            }
            let wanted = ids.iter().filter(|id| id.starts_with(prefix));
            let wanted: Vec<String> = wanted.cloned().collect();
            ensure_eq!(
                found,
                wanted,
                "ids that begin with {prefix:?}, {limit} a page"
            );
        }
    }
    Ok(())
}

pub(crate) async fn jobs_are_listed_by_next_run(stage: &Stage) -> Done {
    for (id, every) in [
        ("late", "every 1h"),
        ("soon", "every 1m"),
        ("b", "every 5m"),
        ("a", "every 5m"),
    ] {
        stage.add(job(id).trigger(every)).await?;
    }
    stage.add(job("paused").trigger("every 2m")).await?;
    stage
        .edit("paused", at(0), |job| {
            job.pause("for the test".into());
        })
        .await?;
    stage
        .add(job("ended").trigger("at 2026-01-05T00:00:00Z"))
        .await?;
    stage
        .edit("ended", at(0), |job| {
            job.watermark = at(1);
            job.recompute_next();
        })
        .await?;
    let found = page(stage, JobOrder::NextRun, 10).await?;
    let found: Vec<&str> = found.iter().map(JobId::as_str).collect();
    ensure_eq!(found, ["soon", "a", "b", "late"], "the order of next runs");
    let found = page(stage, JobOrder::NextRun, 3).await?;
    let found: Vec<&str> = found.iter().map(JobId::as_str).collect();
    ensure_eq!(found, ["soon", "a", "b"], "the first three");
    Ok(())
}
