//! Jobs are stored as they were given.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::store::{AllInserted, Inserted, JobQuery, NewJob};
use scheduler_core::triggers::Zone;
use scheduler_core::{
    Arguments, Backoff, Coalesce, DefinitionHash, JobRecord, Origin, Overlap, Policies, SkipReason,
};

use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{Stage, as_skipped, at, insert, job, replace, seconds};

pub(crate) async fn a_job_is_kept_as_it_was_inserted(stage: &Stage) -> Done {
    let arguments = Arguments::new()
        .with("number", 42)?
        .with("text", "it's \"quoted\" and ünïcödé \u{1F389}")?
        .with("nested", serde_json::json!({"list": [1, null, true, 0.5]}))?;
    let record = stage.add(job("kept").arguments(arguments)).await?;
    ensure_eq!(stage.job("kept").await?, record, "the stored job");
    Ok(())
}

pub(crate) async fn an_unknown_job_is_none(stage: &Stage) -> Done {
    let store = stage.store();
    ensure!(
        store.get_job("nobody").await?.is_none(),
        "get_job found a job"
    );
    let mut calls = 0;
    let edit = Box::new(|_: &mut JobRecord| {
        calls += 1;
        Vec::new()
    });
    let edited = store.edit("nobody", edit, at(0)).await?;
    ensure!(edited.is_none(), "edit found a job");
    ensure_eq!(calls, 0, "calls of an edit of no job");
    let removed = store.remove("nobody", None, at(0)).await?;
    ensure_eq!(
        removed.done().map(|edited| edited.job),
        None,
        "what remove found"
    );
    Ok(())
}

pub(crate) async fn jobs_are_inserted_all_or_none(stage: &Stage) -> Done {
    stage.add(job("second")).await?;
    let batch = vec![
        job("first").record()?,
        job("second").task("other").record()?,
        job("third").record()?,
    ];
    let answer = insert(stage.store(), batch, at(1)).await?;
    let Inserted::Exists(id) = answer else {
        return Err(Stop::failed(format_args!("answered {answer:?}")));
    };
    ensure_eq!(id.as_str(), "second", "the job that exists");
    for id in ["first", "third"] {
        let stored = stage.store().get_job(id).await?;
        ensure!(stored.is_none(), "{id} was inserted all the same");
    }
    ensure_eq!(
        &*stage.job("second").await?.task,
        "task",
        "the task of the job that exists"
    );

    let batch = (0..250).map(|n| job(&format!("many {n}")).record());
    let batch = batch.collect::<Done<Vec<_>>>()?;
    insert(stage.store(), batch, at(1)).await?;
    let query = JobQuery::by_id(None, 1_000);
    let count = stage.store().list_jobs(&query).await?.len();
    ensure_eq!(count, 251, "jobs after a batch of 250");
    Ok(())
}

pub(crate) async fn a_job_is_replaced_only_on_request(stage: &Stage) -> Done {
    stage.add(job("job")).await?;
    let new = job("job")
        .task("other")
        .trigger("every 5m")
        .added(at(0) + seconds(30));
    let record = new.record()?;
    let answer = insert(stage.store(), vec![record.clone()], at(1)).await?;
    ensure!(matches!(answer, Inserted::Exists(_)), "answered {answer:?}");
    let answer = replace(stage.store(), record.clone(), at(0) + seconds(30)).await?;
    ensure!(
        matches!(&answer, Inserted::All(all) if all.skipped.is_empty()),
        "a replacement of a job with nothing pending answered {answer:?}"
    );
    ensure_eq!(
        stage.job("job").await?,
        record,
        "the job that replaced the other"
    );
    Ok(())
}

pub(crate) async fn a_replaced_job_skips_pending_fire_times(stage: &Stage) -> Done {
    stage.add(job("job")).await?;
    let record = job("job").task("other").added(at(3)).record()?;
    let answer = replace(stage.store(), record, at(3)).await?;
    let Inserted::All(AllInserted { skipped, .. }) = answer else {
        return Err(Stop::failed(format_args!("answered {answer:?}")));
    };
    let expected = [(SkipReason::Superseded, at(1), at(3), 3)];
    let answered: Vec<_> = skipped.iter().map(as_skipped).collect();
    ensure_eq!(answered, expected, "what the answer says was skipped");
    ensure_eq!(stage.skipped_of("job").await?, expected, "what is listed");
    Ok(())
}

pub(crate) async fn a_replaced_job_counts_live_runs(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    stage.add(job("job")).await?;
    let run = node.claim_one(at(1)).await?;
    let record = job("job").task("other").added(at(1)).record()?;
    replace(stage.store(), record, at(1)).await?;
    let claim = node.claim(at(2)).await?;
    ensure!(
        claim.runs.is_empty(),
        "the run of the old job holds no slot in the new one"
    );
    let end = crate::stage::succeeded(&run, at(2));
    ensure!(node.finish_one(end).await?, "its end was not recorded");
    node.claim_one(at(3)).await?;
    Ok(())
}

pub(crate) async fn one_id_twice_in_a_batch_is_refused(stage: &Stage) -> Done {
    let batch = vec![job("twice").record()?, job("twice").task("other").record()?];
    let answer = insert(stage.store(), batch, at(0)).await?;
    ensure!(matches!(answer, Inserted::Exists(_)), "answered {answer:?}");
    let stored = stage.store().get_job("twice").await?;
    ensure!(stored.is_none(), "the first was inserted all the same");
    Ok(())
}

pub(crate) async fn a_static_job_is_not_replaced(stage: &Stage) -> Done {
    let definition = job("written").definition()?;
    stage.store().reconcile(vec![definition], at(0)).await?;
    for replace_existing in [false, true] {
        let batch = vec![
            NewJob::new(job("beside").record()?).replace_existing(replace_existing),
            NewJob::new(job("written").task("other").record()?).replace_existing(replace_existing),
        ];
        let answer = stage.store().insert(batch, at(1)).await?;
        let Inserted::IsStatic(id) = answer else {
            return Err(Stop::failed(format_args!("answered {answer:?}")));
        };
        ensure_eq!(id.as_str(), "written", "the job that is static");
        let beside = stage.store().get_job("beside").await?;
        ensure!(beside.is_none(), "another job of the batch was inserted");
    }
    ensure_eq!(
        &*stage.job("written").await?.task,
        "task",
        "the static job's task"
    );
    Ok(())
}

/// Returns ids that break code which builds SQL, paths or patterns from them.
pub(crate) fn odd_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "a",
        "A",
        "'; drop table jobs; --",
        "\"quoted\" `and` [bracketed]",
        "100%",
        "under_score",
        "under-score",
        "back\\slash \\' \\\" \\x00",
        "$1 ?1 :name @p {jobs}",
        "每日报告",
        "e\u{301}clair",
        "\u{e9}clair",
        "\u{1F680}\u{200D}\u{1F680}",
        "a b/c?d=%20&e=é#f",
        " leading and trailing ",
        "NULL",
        "0",
        "-1",
        "\u{202e}right to left",
        "\u{10FFFF}",
    ]
    .map(str::to_owned)
    .to_vec();
    ids.push("x".repeat(255));
    ids.push("\u{1F680}".repeat(63));
    ids
}

pub(crate) async fn ids_of_every_kind_are_kept(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    let ids = odd_ids();
    for id in &ids {
        stage.add(job(id)).await?;
    }
    let query = JobQuery::by_id(None, 1_000);
    let listed = stage.store().list_jobs(&query).await?;
    let listed: Vec<&str> = listed.iter().map(|job| job.id.as_str()).collect();
    let mut sorted: Vec<&str> = ids.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    ensure_eq!(listed, sorted, "ids in the order of their bytes");

    let claim = node.claim(at(1)).await?;
    ensure_eq!(claim.runs.len(), ids.len(), "claimed runs");
    for run in &claim.runs {
        let end = crate::stage::succeeded(run, at(1) + seconds(2));
        ensure!(
            node.finish_one(end).await?,
            "{:?} was not recorded",
            run.job_id
        );
    }
    for id in &ids {
        ensure_eq!(
            stage.job(id).await?.id.as_str(),
            id.as_str(),
            "the job's id"
        );
        let runs = stage.runs_of(id).await?;
        ensure_eq!(runs.len(), 1, "runs of {id:?}");
        stage.edit(id, at(1), |job| job.edited = true).await?;
        let removed = stage.store().remove(id, None, at(4)).await?;
        ensure!(removed.done().is_some(), "{id:?} could not be removed");
        let expected = [(SkipReason::Removed, at(2), at(4), 3)];
        ensure_eq!(stage.skipped_of(id).await?, expected, "skipped of {id:?}");
    }
    ensure_eq!(stage.store().list_jobs(&query).await?.len(), 0, "jobs left");
    Ok(())
}

pub(crate) async fn arguments_of_256_kib_are_kept(stage: &Stage) -> Done {
    let node = stage.node(1).await?;
    // Four-byte characters, and characters that JSON and SQL escape or double.
    let text = "\u{1F680}\u{e9}'\"\\\n\u{1}%_ ".repeat(12_000);
    let text: String = text.chars().take(140_000).collect();
    let arguments = Arguments::new().with("text", &text)?.with("empty", "")?;
    ensure!(
        arguments.to_string().len() > 200 * 1024,
        "the sample is only {} bytes long",
        arguments.to_string().len()
    );
    stage.add(job("big").arguments(arguments.clone())).await?;
    ensure!(
        stage.job("big").await?.arguments == arguments,
        "stored arguments are others"
    );
    let run = node.claim_one(at(1)).await?;
    ensure!(run.arguments == arguments, "claimed arguments are others");
    ensure_eq!(run.arguments.to_string(), arguments.to_string(), "the text");
    Ok(())
}

pub(crate) async fn every_policy_is_kept(stage: &Stage) -> Done {
    let micros = Duration::from_micros;
    let mut unlike = Policies::default();
    unlike.misfire_grace_time = Some(micros(1));
    unlike.coalesce = Coalesce::Earliest;
    unlike.max_instances = u32::MAX;
    unlike.overlap = Overlap::CancelRunning;
    unlike.timeout = Some(micros(86_400_000_001));
    unlike.retries = u32::MAX;
    unlike.backoff = Backoff::constant(Duration::from_millis(250));
    unlike.jitter = Duration::from_millis(1_500);
    unlike.at_most_once = true;
    unlike.executor = Cow::Borrowed("narrow");
    unlike.store = Cow::Owned("'store' \"é\"".to_owned());
    unlike.run_on_start = true;
    let mut large = Policies::default();
    large.misfire_grace_time = Some(Duration::from_secs(86_400 * 365));
    large.coalesce = Coalesce::All(10_000);
    large.max_instances = 3;
    large.overlap = Overlap::Queue(10_000);
    large.retries = 3;
    large.backoff = Backoff::exponential(Duration::from_millis(1), Duration::from_secs(3_600));
    let all = [Policies::default(), unlike, large];
    for (number, policies) in all.iter().enumerate() {
        let id = format!("policies {number}");
        let draft = job(&id).policies(|own| *own = policies.clone());
        let record = stage.add(draft).await?;
        let stored = stage.job(&id).await?;
        ensure_eq!(*stored.policies, *policies, "stored policies");
        ensure_eq!(stored, record, "the stored job");
    }
    // Many jobs share the same policies; then one of them gets others.
    stage.add(job("policies again")).await?;
    stage
        .edit("policies again", at(0), |job| {
            Arc::make_mut(&mut job.policies).max_instances = 7;
        })
        .await?;
    let stored = stage.job("policies again").await?;
    ensure_eq!(stored.policies.max_instances, 7, "edited policies");
    let other = stage.job("policies 0").await?;
    ensure_eq!(
        *other.policies,
        all[0],
        "policies of the job that was not edited"
    );
    Ok(())
}

pub(crate) async fn every_trigger_is_kept(stage: &Stage) -> Done {
    let texts = [
        "every 1ms start=2026-01-05T00:00:00.000001Z",
        "every 1h 30m start=2026-02-01T00:00:00Z end=2027-01-01T00:00:00Z",
        "cron 30 2 * * * timezone=Europe/Berlin",
        "cron 0/5 10-20 8 ? * mon-fri 2026-2099 timezone=America/St_Johns gap=skip fold=both",
        "cron 0 0 L * *",
        "cron 0 12 15W,LW * fri#2",
        "@weekly",
        "at 2099-12-31T23:59:59.999999Z",
        "and(cron 0 * * * *; cron * * * * mon)",
        "or(and(cron 0 0 1 * *; cron 0 0 * * mon); every 7m start=2026-01-05T00:00:00Z)",
    ];
    let calendar = scheduler_core::triggers::Trigger::calendar_interval()
        .months(1)
        .days(3)
        .time("02:30:00")
        .start_date("2026-01-31")
        .build()?
        .timezone_name("Europe/Berlin")?;
    let mut triggers = vec![calendar];
    for text in texts {
        triggers.push(text.parse()?);
    }
    for (number, trigger) in triggers.into_iter().enumerate() {
        let trigger = trigger.resolve(at(0), Zone::UTC)?;
        let mut record = job(&format!("trigger {number}")).record()?;
        record.trigger = trigger.clone();
        record.recompute_next();
        insert(stage.store(), vec![record.clone()], at(0)).await?;
        let stored = stage.job(record.id.as_str()).await?;
        ensure_eq!(stored, record, "the stored job");
        ensure_eq!(stored.trigger.to_string(), trigger.to_string(), "its text");
        let next = |trigger: &scheduler_core::triggers::Trigger| {
            trigger.upcoming(at(0)).take(5).collect::<Vec<_>>()
        };
        ensure_eq!(
            next(&stored.trigger),
            next(&trigger),
            "fire times of {trigger}"
        );
    }
    Ok(())
}

pub(crate) async fn instants_are_kept_to_the_microsecond(stage: &Stage) -> Done {
    let odd = TimeDelta::microseconds(1);
    let instants = [
        "1970-01-01T00:00:00.000001Z",
        "1999-12-31T23:59:59.999999Z",
        "2026-01-05T12:34:56.789012Z",
        "2038-01-19T03:14:08.000001Z",
        "2099-12-30T23:59:59.999999Z",
    ];
    for (number, text) in instants.into_iter().enumerate() {
        let now: chrono::DateTime<chrono::Utc> = text
            .parse()
            .map_err(|error| Stop::failed(format_args!("{text}: {error}")))?;
        let mut record = job(&format!("instant {number}")).added(now).record()?;
        record.watermark = now - odd;
        record.origin = Origin::Dynamic;
        record.paused = (number % 2 == 0).then(|| "note: 'paused' \u{e9}".into());
        record.edited = number % 2 == 1;
        record.recompute_next();
        insert(stage.store(), vec![record.clone()], now).await?;
        ensure_eq!(
            stage.job(record.id.as_str()).await?,
            record,
            "the job of {text}"
        );
    }
    // Hashes use all 64 bits.
    let extreme = DefinitionHash {
        trigger: u64::MAX,
        rest: 1 << 63,
        written: Some(u64::MAX - 1),
    };
    let mut definition = job("hashes").definition()?;
    definition.hash = extreme;
    stage.store().reconcile(vec![definition], at(0)).await?;
    let stored = stage.job("hashes").await?;
    ensure_eq!(stored.origin, Origin::Static(extreme), "the stored hashes");
    Ok(())
}
