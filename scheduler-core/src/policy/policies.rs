//! All policies of a job, every one decided.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration_text::{limit, required};
use super::{Backoff, Coalesce, Overlap};

/// All policies of a job, every one decided.
///
/// Made from [`PolicyPatch`](super::PolicyPatch)es laid over [`Policies::default`].
///
/// ```
/// use scheduler_core::{Coalesce, Overlap, Policies};
///
/// let policies = Policies::default();
/// assert_eq!(policies.max_instances, 1);
/// assert_eq!((policies.coalesce, policies.overlap), (Coalesce::Latest, Overlap::Skip));
/// assert_eq!((policies.misfire_grace_time, policies.timeout), (None, None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Policies {
    /// A fire time that cannot start within this of its instant is not run; `None`, the default:
    /// however late.
    #[serde(with = "limit")]
    pub misfire_grace_time: Option<Duration>,
    /// Which of several due at once are run; the latest by default.
    pub coalesce: Coalesce,
    /// How many runs of the job at once, over all nodes; 1 by default.
    pub max_instances: u32,
    /// What happens at that limit; skipped by default.
    pub overlap: Overlap,
    /// How long one attempt may take; `None`, the default: as long as it likes.
    #[serde(with = "limit")]
    pub timeout: Option<Duration>,
    /// How many failed attempts are tried again; 0 by default.
    pub retries: u32,
    /// How long to wait before that; `1s..1m` by default.
    pub backoff: Backoff,
    /// How far a fire time may be delayed to spread load; 0 by default.
    #[serde(with = "required")]
    pub jitter: Duration,
    /// Whether a run lost with its node stays lost; by default it is tried again.
    pub at_most_once: bool,
    /// The executor's name; `"default"` is the threads of `"sync"` for a sync task.
    pub executor: Cow<'static, str>,
    /// The store's name.
    pub store: Cow<'static, str>,
    /// Whether there is one extra run at start-up, or when the job is added; by default there is
    /// none.
    pub run_on_start: bool,
}

/// The name of the executor and of the store that jobs use when they name none.
pub(crate) const DEFAULT_NAME: &str = "default";

impl Default for Policies {
    fn default() -> Self {
        Self {
            misfire_grace_time: None,
            coalesce: Coalesce::Latest,
            max_instances: 1,
            overlap: Overlap::Skip,
            timeout: None,
            retries: 0,
            backoff: Backoff::default(),
            jitter: Duration::ZERO,
            at_most_once: false,
            executor: Cow::Borrowed(DEFAULT_NAME),
            store: Cow::Borrowed(DEFAULT_NAME),
            run_on_start: false,
        }
    }
}
