//! Claims: each due run is claimed once, and as the plan decides.

use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::plan::{DueJob, Occupancy, Plan};
use scheduler_core::store::{Claimed, ClaimedRun};
use scheduler_core::{
    Arguments, Coalesce, JobId, JobRecord, Overlap, RunId, RunKind, RunState, SkipReason,
};

use crate::draft::reschedule;
use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Ask, Stage, Worker, as_skipped, at, job, seconds, succeeded};

pub(crate) async fn a_fire_time_is_claimed_once(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("job").policies(|own| own.max_instances = 10))
        .await?;
    let early = node
        .claim(at(1) - chrono::TimeDelta::microseconds(1))
        .await?;
    ensure!(early.runs.is_empty(), "claimed a microsecond too early");
    let mut claimed = Vec::new();
    for now in [
        at(1),
        at(1),
        at(1) + seconds(59),
        at(2),
        at(2),
        at(4),
        at(4),
    ] {
        for run in node.claim(now).await?.runs {
            claimed.push(run.scheduled_for);
        }
    }
    ensure_eq!(claimed, [at(1), at(2), at(4)], "claimed fire times");
    let runs = stage.runs_of("job").await?;
    let stored: Vec<_> = runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(stored, claimed, "stored fire times");
    Ok(())
}

pub(crate) async fn a_claim_moves_watermark_and_next_fire_time(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    node.claim(at(3) + seconds(30)).await?;
    let stored = stage.job("job").await?;
    ensure_eq!(stored.watermark, at(3), "the watermark");
    ensure_eq!(stored.next_fire_time(), Some(at(4)), "the next fire time");
    Ok(())
}

pub(crate) async fn a_claimed_run_has_all_that_it_needs(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let arguments = Arguments::new()
        .with("number", 42)?
        .with("text", "it's \u{e9}")?;
    let record = stage
        .add(job("job").arguments(arguments.clone()).policies(|own| {
            own.timeout = Some(Duration::from_secs(90));
            own.retries = 5;
        }))
        .await?;
    let now = at(1) + seconds(2);
    let run = node.claim_one(now).await?;
    ensure_eq!(run.job_id.as_str(), "job", "its job");
    ensure_eq!(&*run.task, "task", "its task");
    ensure_eq!(run.kind, RunKind::Scheduled, "its kind");
    ensure_eq!(
        (run.scheduled_for, run.due_at),
        (at(1), at(1)),
        "its instants"
    );
    ensure_eq!((run.attempt, run.failures), (1, 0), "attempt and failures");
    ensure_eq!(run.arguments, arguments, "its arguments");
    ensure_eq!(run.policies, record.policies, "its policies");
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(stored.state, RunState::Running, "the stored state");
    ensure_eq!(stored.attempt, 1, "the stored attempt");
    ensure_eq!(
        stored.started_at,
        Some(now),
        "when it was started, as far as is known"
    );
    ensure_eq!(stored.finished_at, None, "when it ended");
    ensure_eq!(
        (stored.kind, stored.scheduled_for),
        (run.kind, at(1)),
        "what it is"
    );
    ensure_eq!(node.held().await?, [run.run_id], "what the node holds");
    Ok(())
}

pub(crate) async fn jitter_delays_the_start(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for number in 0..5 {
        let id = format!("job {number}");
        let draft = job(&id).trigger("every 1h");
        stage
            .add(draft.policies(|own| own.jitter = Duration::from_secs(600)))
            .await?;
    }
    let mut due = Vec::new();
    for number in 0..5 {
        let stored = stage.job(&format!("job {number}")).await?;
        let next = stored.next.ok_or_else(|| Stop::failed("it never fires"))?;
        ensure!(next.at != next.nominal, "no jitter at all");
        due.push(next.at);
    }
    due.sort_unstable();
    for at in due {
        let next = node.next_due(at - seconds(1), &Ask::default()).await?;
        ensure_eq!(next, Some(at), "what is due next");
        let early = node.claim(at - chrono::TimeDelta::microseconds(1)).await?;
        ensure!(early.runs.is_empty(), "claimed before the delay had passed");
        let run = node.claim_one(at).await?;
        ensure_eq!(run.due_at, at, "when the run was due");
        ensure_eq!(run.scheduled_for, crate::stage::at(60), "its fire time");
    }
    Ok(())
}

pub(crate) async fn a_claim_keeps_to_its_limit(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for number in 0..10 {
        stage
            .add(job(&format!("job {number}")).trigger("every 1h"))
            .await?;
    }
    let ask = Ask::limit(3);
    let mut claimed = Vec::new();
    let mut claims = 0;
    loop {
        let claim = node.claim_as(at(60), &ask).await?;
        claims += 1;
        // A claim whose answer was lost has already taken some.
        ensure!(
            claim.runs.len() <= 3 || stage.loses_answers(),
            "a claim of 3 gave {}",
            claim.runs.len()
        );
        claimed.extend(claim.runs.into_iter().map(|run| run.job_id));
        if !claim.more {
            break;
        }
        ensure!(claims < 20, "there is always more");
    }
    claimed.sort_unstable();
    let expected: Vec<String> = (0..10).map(|number| format!("job {number}")).collect();
    let claimed: Vec<&str> = claimed.iter().map(JobId::as_str).collect();
    ensure_eq!(claimed, expected, "claimed jobs");
    Ok(())
}

pub(crate) async fn a_node_claims_only_what_it_can_run(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("dynamic").trigger("every 1h")).await?;
    stage
        .add(job("of other").task("other").trigger("every 1h"))
        .await?;
    let written = job("written").trigger("every 1h").definition()?;
    stage.store().reconcile(vec![written], at(0)).await?;

    let nothing = Ask::tasks(&["elsewhere"]);
    ensure_eq!(
        node.next_due(at(0), &nothing).await?,
        None,
        "when nothing is due"
    );
    let claim = node.claim_as(at(60), &nothing).await?;
    ensure!(
        claim.runs.is_empty() && claim.skipped.is_empty(),
        "it claimed {claim:?}"
    );
    ensure_eq!(
        node.next_due(at(60), &nothing).await?,
        None,
        "when nothing is due"
    );

    for (ask, expected) in [
        (Ask::tasks(&["task"]), "dynamic"),
        (Ask::tasks(&["other"]), "of other"),
        (Ask::static_jobs(&["written", "elsewhere"])?, "written"),
    ] {
        let due = node.next_due(at(60), &ask).await?;
        ensure_eq!(due, Some(at(60)), "when {expected} is due");
        let claim = node.claim_as(at(60), &ask).await?;
        let claimed: Vec<&str> = claim.runs.iter().map(|run| run.job_id.as_str()).collect();
        ensure_eq!(claimed, [expected], "claimed jobs");
    }
    Ok(())
}

pub(crate) async fn late_fire_times_are_missed(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("job").policies(|own| {
            own.max_instances = 10;
            own.coalesce = Coalesce::All(10);
            own.misfire_grace_time = Some(Duration::from_secs(90));
        }))
        .await?;
    let claim = node.claim(at(5)).await?;
    let started: Vec<_> = claim.runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(started, [at(4), at(5)], "fire times that are in time");
    let expected = [(SkipReason::Missed, at(1), at(3), 3)];
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is skipped");
    Ok(())
}

pub(crate) async fn the_newest_fire_times_are_caught_up(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage
        .add(job("job").policies(|own| {
            own.max_instances = 10;
            own.coalesce = Coalesce::All(2);
        }))
        .await?;
    let claim = node.claim(at(5)).await?;
    let started: Vec<_> = claim.runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(started, [at(4), at(5)], "fire times that are caught up");
    let expected = [(SkipReason::CatchUpLimit, at(1), at(3), 3)];
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is skipped");
    Ok(())
}

pub(crate) async fn a_full_executor_leaves_its_jobs_due(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    for number in 0..5 {
        let draft = job(&format!("narrow {number}")).trigger("every 1h");
        stage
            .add(draft.policies(|own| own.executor = "narrow".into()))
            .await?;
    }
    stage.add(job("wide").trigger("every 1h")).await?;
    let claim = node.claim_as(at(60), &Ask::capacity("narrow", 2)).await?;
    let of = |runs: &[ClaimedRun], executor: &str| {
        let runs = runs.iter().filter(|run| run.policies.executor == executor);
        runs.count()
    };
    ensure_eq!(
        of(&claim.runs, "narrow"),
        2,
        "runs of the executor with capacity for two"
    );
    ensure_eq!(of(&claim.runs, "default"), 1, "runs of the other executor");

    let full = Ask::capacity("narrow", 0);
    let claim = node.claim_as(at(60), &full).await?;
    ensure!(claim.runs.is_empty(), "a full executor was given a run");
    ensure!(claim.skipped.is_empty(), "it skipped {:?}", claim.skipped);
    // The next due job is the other executor's: the jobs that are already due wait for capacity.
    ensure_eq!(
        node.next_due(at(60), &full).await?,
        Some(at(120)),
        "what is due next"
    );
    let claim = node.claim_as(at(61), &Ask::capacity("narrow", 10)).await?;
    ensure_eq!(claim.runs.len(), 3, "runs when there is capacity again");
    let mut unknown = Ask::default();
    unknown.capacity.remove("narrow");
    let claim = node.claim_as(at(120), &unknown).await?;
    ensure_eq!(
        of(&claim.runs, "narrow"),
        0,
        "runs of an executor that the node has not"
    );
    Ok(())
}

/// A job that is compared with the plan.
struct Compared {
    id: String,
    live: Option<RunId>,
    queued: u32,
}

pub(crate) async fn a_claim_decides_as_the_plan_does(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let jobs = prepare(stage, &node).await?;
    let mut before = Vec::new();
    for compared in &jobs {
        before.push(stage.job(&compared.id).await?);
    }
    let now = at(6) + seconds(10);
    let claim = node.claim(now).await?;
    let asked = node.store.list_cancellations(node.node).await?;
    let mut plan = Plan::default();
    for (compared, record) in jobs.iter().zip(&before) {
        decide(&mut plan, compared, record, now)?;
        compare_runs(stage, compared, &claim, &plan).await?;
        compare_skipped(stage, &compared.id, &claim, &plan).await?;
        let Compared { id, live, .. } = compared;
        let stored = stage.job(id).await?;
        ensure_eq!(
            (stored.watermark, stored.next),
            (plan.watermark, plan.next),
            "watermark and next of {id}"
        );
        if let Some(live) = live {
            ensure_eq!(
                asked.contains(live),
                plan.cancel_oldest,
                "whether the run of {id} was asked to stop"
            );
        }
    }
    Ok(())
}

fn decide(plan: &mut Plan, job: &Compared, record: &JobRecord, now: DateTime<Utc>) -> Done {
    let next = record.next.ok_or_else(|| Stop::failed("it never fires"))?;
    let due = DueJob {
        id: &record.id,
        trigger: &record.trigger,
        policies: &record.policies,
        watermark: record.watermark,
        next,
    };
    let occupancy = Occupancy::new(u32::from(job.live.is_some()), job.queued);
    let decided = plan.decide(due, occupancy, now);
    ensure!(decided.is_ok(), "no decision about {}", job.id);
    Ok(())
}

async fn compare_runs(stage: &Stage, job: &Compared, claim: &Claimed, plan: &Plan) -> Done {
    let id = &job.id;
    let runs = claim.runs.iter().filter(|run| run.job_id == id.as_str());
    let started: Vec<_> = runs.map(|run| run.scheduled_for).collect();
    ensure_eq!(started, plan.start, "what starts of {id}");
    let runs = stage.runs_of(id).await?;
    let waiting = runs.iter().filter(|run| run.state == RunState::Queued);
    let mut waiting: Vec<_> = waiting.map(|run| run.scheduled_for).collect();
    if job.queued > 0 && !plan.replace_queued {
        waiting.remove(0);
    }
    ensure_eq!(waiting, plan.queue, "queued runs of {id}");
    let queued = claim.queued.iter().filter(|run| run.job_id == id.as_str());
    ensure_eq!(
        queued.count(),
        plan.queue.len(),
        "queued runs of {id} in the answer"
    );
    Ok(())
}

async fn compare_skipped(stage: &Stage, id: &str, claim: &Claimed, plan: &Plan) -> Done {
    let mut expected: Vec<_> = plan
        .skipped
        .iter()
        .map(|times| (times.reason, times.first, times.last, times.count.value))
        .collect();
    if plan.replace_queued {
        expected.push((SkipReason::Superseded, at(2), at(2), 1));
    }
    expected.sort_unstable();
    let mut skipped: Vec<_> = claim
        .skipped
        .iter()
        .filter(|skipped| skipped.job_id == id)
        .map(as_skipped)
        .collect();
    skipped.sort_unstable();
    ensure_eq!(skipped, expected, "what the answer says is skipped of {id}");
    let mut listed = stage.skipped_of(id).await?;
    listed.sort_unstable();
    ensure_eq!(listed, expected, "what is listed as skipped of {id}");
    Ok(())
}

/// Adds one job for every combination of policies and of existing runs.
async fn prepare(stage: &Stage, node: &Worker) -> Done<Vec<Compared>> {
    let mut jobs = Vec::new();
    for coalesce in [Coalesce::Latest, Coalesce::Earliest, Coalesce::All(3)] {
        for overlap in [Overlap::Skip, Overlap::Queue(2), Overlap::CancelRunning] {
            for grace in [None, Some(Duration::from_secs(150))] {
                for (max, live, queued) in [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (5, 1, 0)] {
                    if queued > 0 && overlap == Overlap::Skip {
                        continue;
                    }
                    let id = format!("{coalesce} {overlap} {grace:?} {max} {live} {queued}");
                    let draft = job(&id).policies(|own| {
                        own.coalesce = coalesce;
                        own.overlap = overlap;
                        own.misfire_grace_time = grace;
                        own.max_instances = max;
                    });
                    // Jobs without a live run begin after the first claim.
                    let draft = if live == 0 { draft.added(at(2)) } else { draft };
                    stage.add(draft).await?;
                    jobs.push(Compared {
                        id,
                        live: None,
                        queued,
                    });
                }
            }
        }
    }
    let claim = node.claim(at(1)).await?;
    for run in claim.runs {
        let compared = jobs
            .iter_mut()
            .find(|compared| run.job_id == compared.id.as_str());
        if let Some(compared) = compared {
            compared.live = Some(run.run_id);
        }
    }
    for compared in jobs.iter().filter(|compared| compared.queued > 0) {
        node.run_soon(&compared.id, at(2)).await?;
    }
    Ok(jobs)
}

pub(crate) async fn the_next_due_job_is_the_earliest(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let ask = Ask::default();
    ensure_eq!(
        node.next_due(at(0), &ask).await?,
        None,
        "when an empty store is due"
    );
    stage.add(job("hourly").trigger("every 1h")).await?;
    ensure_eq!(
        node.next_due(at(0), &ask).await?,
        Some(at(60)),
        "the first job"
    );
    stage.add(job("often").trigger("every 5m")).await?;
    ensure_eq!(
        node.next_due(at(0), &ask).await?,
        Some(at(5)),
        "the earlier job"
    );
    let run = node.claim_one(at(5)).await?;
    ensure_eq!(
        node.next_due(at(5), &ask).await?,
        Some(at(10)),
        "after a claim"
    );
    node.finish_one(succeeded(&run, at(6))).await?;
    stage.store().remove("often", None, at(6)).await?;
    ensure_eq!(
        node.next_due(at(6), &ask).await?,
        Some(at(60)),
        "after the removal"
    );
    stage
        .edit("hourly", at(6), |job| {
            reschedule(job, scheduler_core::triggers::Trigger::date(at(7)), at(6));
        })
        .await?;
    ensure_eq!(
        node.next_due(at(6), &ask).await?,
        Some(at(7)),
        "after an edit"
    );
    Ok(())
}
