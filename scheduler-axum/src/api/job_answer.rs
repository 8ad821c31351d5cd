//! Answering with one job.

use axum::http::header::ETAG;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use scheduler_core::{Arguments, Error, JobPatch, JobRecord, Revision, RunFilter, Scheduler};
use serde_json::Value;

use crate::if_match::IfMatch;
use crate::model::job::{JobBody, Tasks};
use crate::model::run::RunSummary;
use crate::problem::{Answer, Problem};
use crate::reply::json_bytes;
use crate::secret_arguments;
use crate::state::Web;

/// The default number of newest runs returned with a job.
pub(super) const RECENT: usize = 10;

/// Returns a job with its newest runs.
pub(super) async fn with_recent(
    scheduler: &Scheduler,
    tasks: &Tasks,
    job: JobRecord,
    recent: usize,
) -> Result<JobBody, Problem> {
    let runs = match recent {
        0 => Vec::new(),
        limit => {
            let newest = RunFilter::new().job(job.id.as_str()).limit(limit);
            scheduler.list_runs(&newest).await?.items
        }
    };
    let mut body = JobBody::new(scheduler, tasks, job);
    body.recent = runs.into_iter().map(RunSummary::from).collect();
    Ok(body)
}

/// Answers with one job, whose revision is in the tag.
pub(super) async fn job(
    web: &Web,
    status: StatusCode,
    job: JobRecord,
    recent: usize,
) -> Result<Response, Problem> {
    let tasks = Tasks::of(&web.scheduler);
    let body = with_recent(&web.scheduler, &tasks, job, recent).await?;
    let mut response = json_bytes(status, &body);
    response.extensions_mut().insert(body.revision);
    Ok(response)
}

/// Answers with a job as it is after a change.
pub(super) async fn changed(web: &Web, record: JobRecord) -> Answer {
    tagged(web, StatusCode::OK, record).await
}

/// Answers with a job whose revision is the tag of the answer.
pub(super) async fn tagged(web: &Web, status: StatusCode, record: JobRecord) -> Answer {
    let tag = HeaderValue::try_from(format!("\"{}\"", record.revision()));
    let mut response = job(web, status, record, RECENT).await?;
    response
        .headers_mut()
        .extend(tag.ok().map(|tag| (ETAG, tag)));
    Ok(response)
}

/// Returns the revision that a request requires of a job, which the store compares when it carries out the request;
/// `None` if any revision is allowed.
///
/// If several are allowed, it is the job's current one.
pub(super) async fn required(
    web: &Web,
    id: &str,
    seen: &IfMatch,
) -> Result<Option<Revision>, Problem> {
    match seen {
        IfMatch::Any => return Ok(None),
        IfMatch::OneOf(revisions) => {
            if let [revision] = revisions[..] {
                return Ok(Some(revision));
            }
        }
    }
    let current = web.scheduler.find_job(id).await?;
    if seen.allows(current.revision()) {
        return Ok(Some(current.revision()));
    }
    Err(stale(web, current, None).await)
}

/// Returns the result of a call about a job. `yours` is the change as it was requested, for the answer if it was not
/// made.
pub(super) async fn answered<T>(
    web: &Web,
    answer: Result<T, Error>,
    yours: Option<Value>,
) -> Result<T, Problem> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(Error::StaleRevision { current, .. }) => Err(stale(web, *current, yours).await),
        Err(error) => Err(error.into()),
    }
}

/// Changes a job that is as the caller has seen it; `yours` is the change as it was requested.
pub(super) async fn modify(web: &Web, id: &str, patch: JobPatch, yours: Value) -> Answer {
    let answer = web.scheduler.modify_job(id, patch).await;
    let job = answered(web, answer, Some(yours)).await?;
    changed(web, job).await
}

/// Returns the problem with the job as it is now and the change that was not made.
pub(super) async fn stale(web: &Web, current: JobRecord, yours: Option<Value>) -> Problem {
    let detail = format!(
        "job `{}` was changed since you read it: it has revision {} now; look at the change, and send yours \
         again with that revision if it is still right",
        current.id,
        current.revision()
    );
    let tasks = Tasks::of(&web.scheduler);
    let mut yours = yours;
    if let Some(Value::Object(arguments)) = yours.as_mut().and_then(|it| it.get_mut("arguments")) {
        let given = Arguments::from(std::mem::take(arguments));
        let shown = secret_arguments::shown(tasks.find(&current.task), given);
        arguments.extend(
            shown
                .iter()
                .map(|(name, value)| (name.to_owned(), value.clone())),
        );
    }
    let current = match with_recent(&web.scheduler, &tasks, current, RECENT).await {
        Ok(current) => serde_json::to_value(current),
        Err(problem) => return problem,
    };
    Problem::stale(detail, yours, current.unwrap_or(Value::Null))
}
