//! A job as a row.

use std::sync::Arc;

use scheduler_core::{
    Arguments, DefinitionHash, JobId, JobRecord, NextFire, Origin, Policies, Trigger,
};

use crate::instant::{from_micros, micros};
use crate::policy_cache::{PolicyCache, policies_text};
use crate::record_problem::RecordProblem;
use crate::run_row::OpenFrom;

/// The columns of a job, as they are stored; `due_at` follows from `paused` and `next_at`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobRow {
    pub(crate) id: String,
    pub(crate) task: String,
    pub(crate) arguments: String,
    pub(crate) trigger: String,
    pub(crate) policies: String,
    pub(crate) executor: String,
    pub(crate) is_static: bool,
    /// The hashes of the trigger and of the rest, as signed numbers with the same bits.
    pub(crate) hash: Option<(i64, i64)>,
    /// The hash of the rest as it was specified; `None` if only older nodes have seen the job.
    pub(crate) written: Option<i64>,
    pub(crate) replaced: Option<(i64, i64)>,
    pub(crate) edited: bool,
    pub(crate) paused: Option<String>,
    pub(crate) watermark: i64,
    /// The nominal and the delayed fire time.
    pub(crate) next: Option<(i64, i64)>,
    pub(crate) created_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) zone_data: String,
    /// No run with a lower id is open. Not written with the job: claims advance it, see [`Advance`].
    pub(crate) open_from: Option<u128>,
    /// PostgreSQL's location of the row version that was read.
    pub(crate) ctid: Option<String>,
}

/// The state in which a claim leaves a job.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "postgres"),
    allow(dead_code, reason = "PostgreSQL alone reads all of it")
)]
pub(crate) struct Advance<'a> {
    pub(crate) id: &'a str,
    /// That of the row. The row is locked, so no other transaction moves it.
    pub(crate) ctid: Option<&'a str>,
    pub(crate) watermark: i64,
    pub(crate) next: Option<(i64, i64)>,
    pub(crate) ended_at: Option<i64>,
    /// The lowest id of the runs that are open afterwards, or a lower one; `None` keeps the stored value.
    pub(crate) open_from: Option<u128>,
}

impl JobRow {
    /// Returns `true` if a lost run must not be repeated. Decoded separately from the job, so that it is also known for
    /// a job of a newer version. A run whose policies cannot be read at all is not repeated.
    pub(crate) fn at_most_once(&self) -> bool {
        let policies: Result<serde_json::Value, _> = serde_json::from_str(&self.policies);
        let value = policies.as_ref().map(|policies| &policies["at_most_once"]);
        !matches!(
            value,
            Ok(serde_json::Value::Null | serde_json::Value::Bool(false))
        )
    }

    /// Returns the run from which the job's open runs are counted.
    pub(crate) fn open_from(&self) -> OpenFrom<'_> {
        OpenFrom {
            job_id: &self.id,
            open_from: self.open_from,
        }
    }

    /// Returns when claims look for the job: `None` while it is paused.
    pub(crate) fn due_at(&self) -> Option<i64> {
        self.next
            .filter(|_| self.paused.is_none())
            .map(|next| next.1)
    }

    /// Creates the row of a job; `ended_at` is when its trigger ended, if it has.
    pub(crate) fn of(job: &JobRecord, ended_at: Option<i64>) -> Self {
        let bits = |hash: &DefinitionHash| (hash.trigger.cast_signed(), hash.rest.cast_signed());
        Self {
            id: job.id.as_str().to_owned(),
            task: job.task.to_string(),
            arguments: job.arguments.to_string(),
            trigger: job.trigger.to_string(),
            policies: policies_text(&job.policies),
            executor: job.policies.executor.to_string(),
            is_static: job.is_static(),
            hash: match &job.origin {
                Origin::Static(hash) => Some(bits(hash)),
                _ => None,
            },
            written: match &job.origin {
                Origin::Static(hash) => hash.written.map(u64::cast_signed),
                _ => None,
            },
            replaced: job.replaced.as_deref().map(bits),
            edited: job.edited,
            paused: job.paused.as_deref().map(str::to_owned),
            watermark: micros(job.watermark),
            next: job.next.map(|next| (micros(next.nominal), micros(next.at))),
            created_at: micros(job.created_at),
            ended_at: ended_at.filter(|_| job.next.is_none()),
            zone_data: scheduler_core::triggers::tz_version().to_owned(),
            open_from: None,
            ctid: None,
        }
    }

    /// Reads a job, or returns what is wrong with its record.
    pub(crate) fn read(&self, cache: &PolicyCache) -> Result<JobRecord, RecordProblem> {
        let id = JobId::new(&*self.id).map_err(RecordProblem::job_id)?;
        let trigger: Trigger = self
            .trigger
            .parse()
            .map_err(|error| RecordProblem::Trigger {
                text: self.trigger.clone(),
                source: Box::new(error),
            })?;
        let arguments: Arguments = match &*self.arguments {
            "{}" => Arguments::new(),
            text => serde_json::from_str(text).map_err(RecordProblem::Arguments)?,
        };
        let policies: Arc<Policies> = cache
            .read(&self.policies)
            .map_err(RecordProblem::Policies)?;
        let hash = |(trigger, rest): (i64, i64), written: Option<i64>| DefinitionHash {
            trigger: trigger.cast_unsigned(),
            rest: rest.cast_unsigned(),
            written: written.map(i64::cast_unsigned),
        };
        let origin = match (self.is_static, self.hash) {
            (true, Some(bits)) => Origin::Static(hash(bits, self.written)),
            (true, None) => return Err(RecordProblem::NoHash),
            (false, _) => Origin::Dynamic,
        };
        let watermark = from_micros(self.watermark)?;
        let created_at = from_micros(self.created_at)?;
        let mut job = JobRecord::restored(
            id,
            cache.task(&self.task),
            arguments,
            (trigger, watermark),
            policies,
            origin,
            created_at,
        );
        job.edited = self.edited;
        job.paused = self.paused.as_deref().map(Box::from);
        job.replaced = self.replaced.map(|bits| Box::new(hash(bits, None)));
        job.next = match self.next {
            Some((nominal, at)) => Some(NextFire {
                nominal: from_micros(nominal)?,
                at: from_micros(at)?,
            }),
            None => None,
        };
        Ok(job)
    }
}
