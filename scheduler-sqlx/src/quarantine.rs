//! Records that cannot be read, each reported once; and due jobs that this node can neither read nor run, which are
//! left out of its claims for a while so that they do not block others.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use scheduler_core::__private::lock;
use scheduler_core::store::Claimable;
use tokio::time::Instant;

/// How long until such a job is tried again: it may have been repaired.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Quarantine(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    until: Instant,
    /// The problem when it was reported; `None` for a job that only this node cannot run.
    problem: Option<String>,
}

impl Quarantine {
    /// Returns the jobs to leave out at present, in the order of their ids, except static jobs that this node has
    /// defined since.
    pub(crate) fn ids(&self, claimable: &Claimable) -> Vec<String> {
        let entries = lock(&self.0);
        if entries.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        let mut ids: Vec<String> = entries
            .iter()
            .filter(|(_, entry)| entry.until > now)
            .filter(|(id, entry)| {
                entry.problem.is_some() || !claimable.static_jobs.contains(id.as_str())
            })
            .map(|(id, _)| id.clone())
            .collect();
        ids.sort_unstable();
        ids
    }

    /// Leaves a job out. Returns `true` if this problem has not been reported yet.
    pub(crate) fn add(&self, id: &str, problem: Option<&str>) -> bool {
        let mut entries = lock(&self.0);
        let entry = Entry {
            until: Instant::now() + LOOK_AGAIN,
            problem: problem.map(str::to_owned),
        };
        let before = entries.insert(id.to_owned(), entry);
        before.is_none_or(|before| before.problem.as_deref() != problem)
    }

    /// Lets changed jobs be claimed, and reported, again.
    pub(crate) fn forget<'a>(&self, ids: impl IntoIterator<Item = &'a str>) {
        let mut entries = lock(&self.0);
        if !entries.is_empty() {
            for id in ids {
                entries.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_job_is_left_out_for_a_while_and_a_problem_is_told_once() {
        let (skipped, nothing) = (Quarantine::default(), Claimable::default());
        assert!(skipped.add("b", Some("bad")) && skipped.add("a", None));
        assert_eq!(skipped.ids(&nothing), ["a", "b"]);
        tokio::time::advance(LOOK_AGAIN).await;
        assert!(skipped.ids(&nothing).is_empty());
        assert!(!skipped.add("b", Some("bad")), "no news");
        assert!(skipped.add("b", Some("worse")));
        skipped.forget(["b"]);
        assert!(skipped.ids(&nothing).is_empty());
    }
}
