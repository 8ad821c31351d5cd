//! All policies of a job, every one decided.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration_text::{limit, required};
use super::{Backoff, Coalesce, Overlap};

/// All policies of a job, every one decided.
///
/// Made from [`PolicyPatch`](super::PolicyPatch)es laid over [`Policies::default`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Policies {
    /// A fire time that cannot start within this of its instant is not run; `None`: however late.
    #[serde(with = "limit")]
    pub misfire_grace_time: Option<Duration>,
    /// Which of several due at once are run.
    pub coalesce: Coalesce,
    /// How many runs of the job at once, over all nodes.
    pub max_instances: u32,
    /// What happens at that limit.
    pub overlap: Overlap,
    /// How long one attempt may take.
    #[serde(with = "limit")]
    pub timeout: Option<Duration>,
    /// How many failed attempts are tried again.
    pub retries: u32,
    /// How long to wait before that.
    pub backoff: Backoff,
    /// How far a fire time may be delayed to spread load.
    #[serde(with = "required")]
    pub jitter: Duration,
    /// Whether a run lost with its node stays lost.
    pub at_most_once: bool,
    /// The executor's name; `"default"` is the threads of `"sync"` for a sync task.
    pub executor: Cow<'static, str>,
    /// The store's name.
    pub store: Cow<'static, str>,
    /// One extra run at start-up, or when the job is added.
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
