//! Reconciling static jobs with the code.

use scheduler_core::reconcile::{Change, Reconciled};
use scheduler_core::{Origin, Overlap, SkipReason};

use crate::draft::{reschedule, resume};
use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Ask, Draft, Stage, as_skipped, at, job, seconds, succeeded};

async fn reconcile(stage: &Stage, drafts: Vec<Draft>, minute: i64) -> Done<Vec<Reconciled>> {
    let jobs = drafts.into_iter().map(Draft::definition);
    let jobs = jobs.collect::<Done<Vec<_>>>()?;
    Ok(stage.store().reconcile(jobs, at(minute)).await?)
}

async fn reconcile_one(stage: &Stage, draft: Draft, minute: i64) -> Done<Reconciled> {
    let answers = reconcile(stage, vec![draft], minute).await?;
    let count = answers.len();
    let [answer] = <[Reconciled; 1]>::try_from(answers)
        .map_err(|_| Stop::failed(format_args!("{count} answers for one job")))?;
    Ok(answer)
}

pub(crate) async fn new_definitions_are_added(stage: &Stage) -> Done {
    let drafts = (0..30).map(|n| job(&format!("job {n}")).trigger("every 1h"));
    let mut drafts: Vec<Draft> = drafts.collect();
    let answers = reconcile(stage, drafts.clone(), 0).await?;
    ensure_eq!(answers.len(), 30, "answers");
    for (n, answer) in answers.iter().enumerate() {
        ensure_eq!(
            answer.id.as_str(),
            format!("job {n}"),
            "the order of the answers"
        );
        ensure_eq!(answer.change, Change::Added, "what became of it");
        let stored = stage.job(answer.id.as_str()).await?;
        ensure!(
            stored.is_static() && !stored.edited,
            "the job is {stored:?}"
        );
        ensure_eq!(stored.next_fire_time(), Some(at(60)), "its next fire time");
        ensure_eq!(stored.created_at, at(0), "when it was added");
    }
    // A new one among existing jobs.
    drafts.insert(3, job("new"));
    let answers = reconcile(stage, drafts, 1).await?;
    let added: Vec<&str> = answers
        .iter()
        .filter(|answer| answer.change == Change::Added)
        .map(|answer| answer.id.as_str())
        .collect();
    ensure_eq!(added, ["new"], "the jobs that are new");
    let mut paused = job("paused").definition()?;
    paused.paused = Some("as the code says".into());
    stage.store().reconcile(vec![paused.clone()], at(2)).await?;
    let stored = stage.job("paused").await?;
    ensure_eq!(
        stored.paused.as_deref(),
        Some("as the code says"),
        "the note of a job added paused"
    );
    // A job that a user has resumed stays resumed.
    stage
        .edit("paused", at(3), |job| {
            resume(job, at(3));
        })
        .await?;
    stage.store().reconcile(vec![paused], at(4)).await?;
    ensure_eq!(
        stage.job("paused").await?.paused,
        None,
        "the note of a resumed job"
    );
    Ok(())
}

pub(crate) async fn unchanged_definitions_keep_pending_fire_times(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    reconcile(stage, vec![job("job")], 0).await?;
    let before = stage.job("job").await?;
    let answer = reconcile_one(stage, job("job"), 3).await?;
    ensure_eq!(answer.change, Change::Unchanged, "what became of it");
    ensure!(
        answer.skipped.is_empty() && !answer.flips,
        "the answer is {answer:?}"
    );
    ensure_eq!(stage.job("job").await?, before, "the stored job");
    // The policies apply to fire times that passed while the program was down.
    let claim = node.claim_as(at(3), &Ask::static_jobs(&["job"])?).await?;
    ensure_eq!(claim.runs.len(), 1, "runs of what was missed");
    let expected = [(SkipReason::Coalesced, at(1), at(2), 2)];
    ensure_eq!(
        stage.skipped_of("job").await?,
        expected,
        "what was coalesced"
    );
    Ok(())
}

pub(crate) async fn a_changed_trigger_is_rescheduled(stage: &Stage) -> Done {
    reconcile(stage, vec![job("job").trigger("cron * * * * *")], 0).await?;
    let answer = reconcile_one(stage, job("job").trigger("cron */5 * * * *"), 3).await?;
    ensure_eq!(answer.change, Change::Rescheduled, "what became of it");
    ensure!(!answer.flips, "it flips");
    let expected = [(SkipReason::Superseded, at(0), at(3), 4)];
    let answered: Vec<_> = answer.skipped.iter().map(as_skipped).collect();
    ensure_eq!(answered, expected, "what the answer says was skipped");
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is listed");
    let stored = stage.job("job").await?;
    ensure_eq!(stored.watermark, at(3), "the watermark");
    ensure_eq!(stored.next_fire_time(), Some(at(5)), "the next fire time");
    Ok(())
}

pub(crate) async fn changed_policies_keep_fire_times(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let ask = Ask::static_jobs(&["job"])?;
    let draft = || job("job").policies(|own| own.overlap = Overlap::Queue(3));
    reconcile(stage, vec![draft()], 0).await?;
    let claim = node.claim_as(at(1), &ask).await?;
    let run = claim
        .runs
        .first()
        .ok_or_else(|| Stop::failed("nothing was claimed"))?;
    node.claim_as(at(2), &ask).await?;
    let before = stage.job("job").await?;
    let changed = draft().policies(|own| own.retries = 7);
    let answer = reconcile_one(stage, changed, 2).await?;
    ensure_eq!(answer.change, Change::Updated, "what became of it");
    ensure!(answer.skipped.is_empty(), "it skipped {:?}", answer.skipped);
    let stored = stage.job("job").await?;
    ensure_eq!(stored.policies.retries, 7, "the policies");
    ensure_eq!(
        (stored.watermark, stored.next),
        (before.watermark, before.next),
        "watermark and next fire time"
    );
    ensure!(stored.origin != before.origin, "the hash stayed");
    // Live runs and queued runs stay.
    ensure!(
        node.finish_one(succeeded(run, at(2))).await?,
        "its end was not recorded"
    );
    let claim = node.claim_as(at(2) + seconds(1), &ask).await?;
    let times: Vec<_> = claim.runs.iter().map(|run| run.scheduled_for).collect();
    ensure_eq!(times, [at(2)], "what waited starts");
    Ok(())
}

pub(crate) async fn an_edit_survives_until_the_code_changes(stage: &Stage) -> Done {
    reconcile(stage, vec![job("job")], 0).await?;
    stage
        .edit("job", at(1), |job| {
            reschedule(job, scheduler_core::triggers::Trigger::date(at(500)), at(1));
            job.edited = true;
            job.pause("held".into());
        })
        .await?;
    let edited = stage.job("job").await?;
    let answer = reconcile_one(stage, job("job"), 2).await?;
    ensure_eq!(answer.change, Change::Unchanged, "what became of it");
    ensure_eq!(stage.job("job").await?, edited, "the edited job");
    let answer = reconcile_one(stage, job("job").trigger("every 5m"), 3).await?;
    ensure_eq!(
        answer.change,
        Change::Rescheduled,
        "what became of it when the code changed"
    );
    let stored = stage.job("job").await?;
    ensure!(!stored.edited, "it still counts as edited");
    ensure_eq!(stored.paused.as_deref(), Some("held"), "the pause");
    ensure_eq!(stored.trigger.kind(), "interval", "the trigger");
    Ok(())
}

pub(crate) async fn definitions_that_flip_are_reported(stage: &Stage) -> Done {
    let (old, new) = (job("job"), job("job").trigger("every 5m"));
    let mut flips = Vec::new();
    for (minute, draft) in (0..).zip([&old, &new, &new, &old, &new]) {
        let answer = reconcile_one(stage, draft.clone(), minute).await?;
        flips.push(answer.flips);
    }
    ensure_eq!(
        flips,
        [false, false, false, true, true],
        "which starts flip"
    );
    let stored = stage.job("job").await?;
    ensure!(stored.replaced.is_some(), "what was replaced is not kept");
    ensure_eq!(
        stored.origin,
        Origin::Static(new.definition()?.hash),
        "the stored hash"
    );
    Ok(())
}

pub(crate) async fn a_dynamic_job_is_not_taken_for_one_of_the_code(stage: &Stage) -> Done {
    let record = stage.add(job("taken").task("other")).await?;
    let answers = reconcile(stage, vec![job("taken"), job("free")], 1).await?;
    let changes: Vec<_> = answers.iter().map(|answer| answer.change).collect();
    ensure_eq!(
        changes,
        [Change::TakenByDynamic, Change::Added],
        "what became of them"
    );
    ensure_eq!(stage.job("taken").await?, record, "the dynamic job");
    let none = reconcile(stage, Vec::new(), 1).await?;
    ensure!(none.is_empty(), "answers for no job: {none:?}");
    Ok(())
}
