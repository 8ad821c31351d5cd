//! Previewing a trigger before a job has it.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Trigger};

use super::Scheduler;
use crate::effort::{FIRE_TIME, REQUEST};
use crate::error::Error;

/// The maximum number of fire times.
const MAX_FIRES: usize = 1_000;

/// The fire times that a job with a trigger would have; from [`Scheduler::preview_trigger`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TriggerPreview {
    /// The trigger as it would be stored, with its start and its time zone.
    pub trigger: Trigger,
    /// The next fire times.
    pub fires: Vec<DateTime<Utc>>,
    /// Properties that may be surprising; see [`Trigger::warnings`].
    pub warnings: Vec<String>,
    /// `false` if the search was cut off because it takes too much work: there may be more fire times and warnings. A
    /// job whose first fire time is not found is refused with [`Error::CostlyTrigger`].
    pub is_complete: bool,
}

impl Scheduler {
    /// Returns the next `count` fire times, at most 1,000, of a job with this trigger if it were added now, and
    /// properties that may be surprising.
    ///
    /// The work is limited to a quarter of a million search steps for one fire time, and two million for all
    /// ([`Effort`]), which is a tenth of a second. It stops when the future is dropped.
    ///
    /// # Errors
    /// Returns [`Error::Trigger`], with an empty id, for a trigger that could not be added, or [`Error::Stopped`] if
    /// the scheduler stops meanwhile.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// let preview = scheduler.preview_trigger(&Trigger::every("90m")?, 2).await?;
    /// assert_eq!(preview.fires[0], "2026-01-01T01:30:00Z".parse::<chrono::DateTime<chrono::Utc>>()?);
    /// assert!(preview.is_complete);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn preview_trigger(
        &self,
        trigger: &Trigger,
        count: usize,
    ) -> Result<TriggerPreview, Error> {
        let now = self.0.store_now();
        let trigger = trigger
            .resolve(now, self.zone())
            .map_err(|source| Error::Trigger {
                job: String::new(),
                source,
            })?;
        let count = count.min(MAX_FIRES);
        self.search(REQUEST, move |effort| {
            Ok(preview(trigger.clone(), now, count, effort))
        })
        .await
    }
}

fn preview(
    trigger: Trigger,
    now: DateTime<Utc>,
    count: usize,
    effort: &mut Effort,
) -> TriggerPreview {
    let mut fires = Vec::new();
    let mut is_complete = true;
    // A fire time at this very instant counts, as it does when a job is added.
    let mut after = now - TimeDelta::microseconds(1);
    while fires.len() < count {
        match effort.at_most(FIRE_TIME, |effort| trigger.next_within(after, effort)) {
            Ok(Some(fire)) => {
                fires.push(fire);
                after = fire;
            }
            Ok(None) => break,
            Err(_) => {
                is_complete = false;
                break;
            }
        }
    }
    let warnings = trigger.warnings_within(now, effort);
    TriggerPreview {
        is_complete: is_complete && !effort.is_exhausted(),
        trigger,
        fires,
        warnings,
    }
}
