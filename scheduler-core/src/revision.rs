//! The revision of a job, which identifies the state on which an edit is based.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::definition_hash::sorted_json;
use crate::hash::Fnv1a;
use crate::job_record::JobRecord;

/// Identifies the state of a job on which an edit is based: its task, trigger, arguments and policies, whether it is
/// paused, and when it was added.
///
/// [`Scheduler::if_revision`](crate::Scheduler::if_revision) pauses, resumes, runs or removes a job only if it has the
/// revision that the caller has seen.
///
/// [`JobPatch::if_revision`](crate::JobPatch::if_revision) refuses an edit of a job that was changed since its
/// revision was read, so that of two people who edit a job at once, neither undoes the other's change
/// unnoticed. Runs and fire times do not change a revision.
///
/// A custom trigger counts with its [`describe`](scheduler_triggers::CustomTrigger::describe), so that text should
/// cover everything that differs.
///
/// It is a hash of these values and is not stored, so nodes that do not support revisions cannot fail to increment
/// one. A change that is reverted leads to the same revision, because there is nothing to undo. Two versions of this
/// library may compute different revisions for one job. An edit across them is refused, and succeeds once the job has
/// been read again. The text is 16 hexadecimal digits.
///
/// ```
/// use std::time::Duration;
///
/// use scheduler_core::prelude::*;
/// use scheduler_core::{Error, JobPatch, PolicyPatch};
///
/// #[task]
/// async fn sync_prices() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let seen = scheduler.add_job(sync_prices::job().id("prices").interval("1h")).await?;
///
/// // Another user changes the job.
/// let policies = PolicyPatch::new().timeout(Duration::from_secs(60));
/// scheduler.modify_job("prices", JobPatch::new().policies(policies)).await?;
///
/// let trigger = JobPatch::new().trigger(Trigger::every("30m")?).if_revision(seen.revision());
/// match scheduler.modify_job("prices", trigger).await {
///     Err(Error::StaleRevision { current, .. }) => {
///         assert_eq!(current.policies.timeout, Some(Duration::from_secs(60)));
///     }
///     other => panic!("expected a stale revision, found {other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(u64);

impl JobRecord {
    /// Returns the revision of the job, for [`JobPatch::if_revision`](crate::JobPatch::if_revision).
    pub fn revision(&self) -> Revision {
        let created_at = self.created_at.timestamp_micros().to_string();
        let paused = self.paused.as_deref().map(|note| format!("paused {note}"));
        let parts = [
            &*self.task,
            &self.trigger.to_string(),
            &sorted_json(&self.arguments),
            &sorted_json(&self.policies),
            paused.as_deref().unwrap_or_default(),
            &created_at,
        ];
        let hash = parts.iter().fold(Fnv1a::new(), |hash, part| {
            // The length keeps the end of one part from being mistaken for the beginning of the next.
            let length = part.len() as u64;
            hash.bytes(&length.to_le_bytes()).bytes(part.as_bytes())
        });
        Revision(hash.finish())
    }

    /// Returns `true` if the job has the revision that a caller has seen. A caller who names none takes the job as it is.
    pub fn is_as_seen(&self, seen: Option<Revision>) -> bool {
        seen.is_none_or(|seen| seen == self.revision())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text that cannot be a [`Revision`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a revision of 16 hexadecimal digits, found `{text}`: use the `revision` of the job"
)]
pub struct InvalidRevision {
    /// The beginning of the text.
    pub text: String,
}

impl FromStr for Revision {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hash = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = u64::from_str_radix(text, 16).ok().filter(|_| is_hash);
        hash.map(Self).ok_or_else(|| InvalidRevision {
            text: text.chars().take(32).collect(),
        })
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::id::JobId;
    use crate::job_record::Origin;
    use crate::policy::Policies;
    use crate::task::arguments::Arguments;

    fn job() -> JobRecord {
        JobRecord::new(
            JobId::new("job").unwrap(),
            "task".into(),
            Arguments::new().with("a", 1).unwrap(),
            "every 5m".parse().unwrap(),
            Arc::new(Policies::default()),
            Origin::Dynamic,
            "2026-01-01T00:00:00Z".parse().unwrap(),
        )
    }

    #[test]
    fn every_editable_value_changes_the_revision() {
        type Change = fn(&mut JobRecord);
        let changes: [(&str, Change); 7] = [
            ("task", |job| job.task = "other".into()),
            ("trigger", |job| job.trigger = "every 6m".parse().unwrap()),
            ("arguments", |job| job.arguments = Arguments::new()),
            ("policies", |job| {
                Arc::make_mut(&mut job.policies).retries = 7;
            }),
            ("pause", |job| job.paused = Some("".into())),
            ("note", |job| job.paused = Some("why".into())),
            ("added again", |job| job.created_at += TimeDelta::seconds(1)),
        ];
        let mut revisions = vec![job().revision()];
        for (what, change) in changes {
            let mut changed = job();
            change(&mut changed);
            let revision = changed.revision();
            assert!(!revisions.contains(&revision), "{what}");
            revisions.push(revision);
        }
    }

    #[test]
    fn fire_time_does_not_change_the_revision() {
        let mut fired = job();
        fired.watermark += TimeDelta::minutes(5);
        fired.next = None;
        assert_eq!(fired.revision(), job().revision());
    }

    #[test]
    fn a_job_is_as_seen_in_the_revision_that_was_seen_and_in_any_where_none_was() {
        let seen = job().revision();
        let mut changed = job();
        changed.pause("why".into());
        assert!(job().is_as_seen(Some(seen)) && job().is_as_seen(None));
        assert!(!changed.is_as_seen(Some(seen)) && changed.is_as_seen(None));
    }

    #[test]
    fn revision_round_trips_as_text() {
        let revision = job().revision();
        assert_eq!(revision.to_string().parse(), Ok(revision));
        let json = serde_json::to_string(&revision).unwrap();
        assert_eq!(serde_json::from_str::<Revision>(&json).unwrap(), revision);
        for wrong in [
            "",
            "12",
            "+123456789abcdef",
            "123456789abcdefg",
            "0123456789abcdef0",
        ] {
            assert!(wrong.parse::<Revision>().is_err(), "{wrong}");
        }
    }
}
