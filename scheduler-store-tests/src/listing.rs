//! Listing jobs, in both orders.

use std::collections::BTreeMap;

use scheduler_core::store::{JobOrder, JobQuery, SearchText};
use scheduler_core::{JobId, JobRecord, JobState};

use crate::failure::{Done, ensure, ensure_eq};
use crate::jobs::odd_ids;
use crate::stage::{Stage, at, insert, job};

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

/// A deterministic pseudo-random generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % count
    }

    /// Returns a text of characters that differ only in case, that change length when their case changes, or that are
    /// wildcards in some pattern language.
    fn text(&mut self, longest: usize) -> String {
        let characters = [
            'a',
            'A',
            'k',
            'K',
            '\u{212A}',
            'i',
            'I',
            'İ',
            'ı',
            'ü',
            'Ü',
            'ß',
            'ẞ',
            's',
            'S',
            'ſ',
            'σ',
            'ς',
            'Σ',
            'é',
            '\u{301}',
            '%',
            '_',
            '\\',
            '*',
            '?',
            '[',
            ']',
            '^',
            '-',
            '!',
            '\'',
            '.',
            '+',
            '(',
            '$',
            ' ',
            '{',
            '日',
            '\u{1F680}',
            '\u{10400}',
            '\u{10428}',
        ];
        let length = 1 + self.below(longest);
        let text = (0..length).map(|_| characters[self.below(characters.len())]);
        text.collect()
    }

    /// Creates jobs of every state and origin.
    async fn jobs(&mut self, stage: &Stage) -> Done<BTreeMap<JobId, JobRecord>> {
        let mut ids: Vec<String> = (0..60).map(|_| self.text(8)).collect();
        ids.extend(["menü", "MENÜ", "100%", "100 jobs", "a_b", "axb"].map(str::to_owned));
        ids.sort_unstable();
        ids.dedup();
        let (mut records, mut definitions) = (Vec::new(), Vec::new());
        for id in &ids {
            let (draft, task) = (job(id).trigger("at 2026-01-05T00:01:00Z"), self.text(4));
            if self.below(4) == 0 {
                definitions.push(draft.definition()?);
            } else {
                let mut record = draft.record()?;
                record.task = task.into();
                records.push(record);
            }
        }
        insert(stage.store(), records, at(0)).await?;
        stage.store().reconcile(definitions, at(0)).await?;
        for id in &ids {
            let (is_paused, has_ended) = (self.below(3) == 0, self.below(3) == 0);
            let change = |job: &mut JobRecord| {
                if is_paused {
                    job.pause("".into());
                }
                if has_ended {
                    job.watermark = at(1);
                    job.recompute_next();
                }
            };
            stage.edit(id, at(1), change).await?;
        }
        let mut jobs = BTreeMap::new();
        for id in ids {
            let job = stage.job(&id).await?;
            jobs.insert(job.id.clone(), job);
        }
        Ok(jobs)
    }

    /// Returns a text that is part of some name, or of none.
    fn part(&mut self, jobs: &BTreeMap<JobId, JobRecord>) -> String {
        let job = jobs.values().nth(self.below(jobs.len()));
        let Some(job) = job.filter(|_| self.below(5) > 0) else {
            return self.text(3);
        };
        let name = [job.id.as_str(), &*job.task][self.below(2)];
        let first = self.below(name.chars().count());
        let part: String = name.chars().skip(first).take(1 + self.below(3)).collect();
        match self.below(3) {
            0 => part.to_lowercase(),
            1 => part.to_uppercase(),
            _ => part,
        }
    }
}

/// Lists all jobs that match a query, page by page.
async fn listed(stage: &Stage, mut query: JobQuery) -> Done<Vec<JobRecord>> {
    let mut found: Vec<JobRecord> = Vec::new();
    loop {
        let page = stage.store().list_jobs(&query).await?;
        ensure!(
            page.len() <= query.limit,
            "a page of {} for {query:?}",
            page.len()
        );
        let is_last = page.len() < query.limit;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
        let after = found.last().map(|job| job.id.clone());
        query.order = JobOrder::Id { after };
    }
}

pub(crate) async fn jobs_are_listed_by_what_they_are(stage: &Stage) -> Done {
    let dice = &mut Dice(7);
    let jobs = dice.jobs(stage).await?;
    let mut queries: Vec<JobQuery> = Vec::new();
    let all = || JobQuery::by_id(None, 1_000);
    for state in [JobState::Scheduled, JobState::Paused, JobState::Finished] {
        queries.push(all().state(state));
        queries.push(all().state(state).is_static(true));
    }
    for text in [
        "", "%", "_", "\\", "*", "?", "[", "]", "'", "ü", "Ü", "k", "I", "σ", "\0", "a\0",
    ] {
        queries.push(all().text(SearchText::new(text)));
    }
    for _ in 0..80 {
        let mut query = JobQuery::by_id(None, [1, 7, 1_000][dice.below(3)]);
        query.text = (dice.below(4) > 0).then(|| SearchText::new(&dice.part(&jobs)));
        let states = [JobState::Scheduled, JobState::Paused, JobState::Finished];
        query.state = states.get(dice.below(8)).copied();
        query.is_static = [Some(true), Some(false)]
            .get(dice.below(6))
            .copied()
            .flatten();
        let job = jobs.values().nth(dice.below(jobs.len()));
        query.task = job
            .filter(|_| dice.below(6) == 0)
            .map(|job| job.task.to_string());
        if dice.below(5) == 0 {
            query.prefix = Some(dice.text(1));
        }
        queries.push(query);
    }
    let mut count = 0;
    for query in queries {
        let wanted: Vec<&JobId> = jobs
            .values()
            .filter(|job| query.matches(job))
            .map(|job| &job.id)
            .collect();
        let found = listed(stage, query.clone()).await?;
        let ids: Vec<&JobId> = found.iter().map(|job| &job.id).collect();
        ensure_eq!(ids, wanted, "the jobs that {query:?} asks for");
        for job in &found {
            ensure_eq!(Some(job), jobs.get(&job.id), "a listed job");
        }
        count += found.len();
    }
    ensure!(
        count > 500,
        "the queries found {count} jobs, which compares too little"
    );
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
