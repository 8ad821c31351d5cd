//! Compares the plan with a model that lists every fire time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use scheduler_triggers::Trigger;

use super::{DueJob, NextFire, Occupancy, Plan, due_at};
use crate::id::JobId;
use crate::policy::{Coalesce, Overlap, Policies};
use crate::skipped::SkipReason;

/// What became of one fire time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Start,
    Queue,
    Skipped(SkipReason),
}

struct Case {
    id: JobId,
    trigger: Trigger,
    policies: Policies,
    watermark: DateTime<Utc>,
    now: DateTime<Utc>,
    occupancy: Occupancy,
}

impl Case {
    fn start_of(&self, nominal: DateTime<Utc>) -> DateTime<Utc> {
        due_at(&self.id, &self.trigger, self.policies.jitter, nominal)
    }

    /// The rules as the design states them, one fire time at a time.
    fn model(&self) -> Vec<(DateTime<Utc>, Fate)> {
        let due: Vec<DateTime<Utc>> = self
            .trigger
            .upcoming(self.watermark)
            .take_while(|nominal| *nominal <= self.now)
            .filter(|nominal| self.start_of(*nominal) <= self.now)
            .collect();
        let mut fates = Vec::new();
        let mut left = Vec::new();
        for nominal in due {
            let late = self.now - self.start_of(nominal);
            let grace = self.policies.misfire_grace_time;
            if grace.is_some_and(|grace| late > TimeDelta::from_std(grace).unwrap()) {
                fates.push((nominal, Fate::Skipped(SkipReason::Missed)));
            } else {
                left.push(nominal);
            }
        }
        let (kept, reason) = match self.policies.coalesce {
            Coalesce::Latest => (
                left.len().saturating_sub(1)..left.len(),
                SkipReason::Coalesced,
            ),
            Coalesce::Earliest => (0..left.len().min(1), SkipReason::Coalesced),
            Coalesce::All(limit) => {
                let first = left.len().saturating_sub(limit as usize);
                (first..left.len(), SkipReason::CatchUpLimit)
            }
        };
        let free =
            self.policies
                .max_instances
                .saturating_sub(self.occupancy.live + self.occupancy.queued) as usize;
        for (index, nominal) in left.iter().enumerate() {
            let fate = if !kept.contains(&index) {
                Fate::Skipped(reason)
            } else if self.policies.overlap == Overlap::CancelRunning {
                // 1 for the newest, which is what matters.
                match kept.end - index {
                    newest if newest <= free => Fate::Start,
                    1 => Fate::Queue,
                    _ => Fate::Skipped(SkipReason::Overlap),
                }
            } else if index - kept.start < free {
                Fate::Start
            } else {
                let place = index - kept.start - free;
                match self.policies.overlap {
                    Overlap::Queue(bound)
                        if place < bound.saturating_sub(self.occupancy.queued) as usize =>
                    {
                        Fate::Queue
                    }
                    Overlap::Queue(_) => Fate::Skipped(SkipReason::QueueFull),
                    Overlap::Skip | Overlap::CancelRunning => Fate::Skipped(SkipReason::Overlap),
                }
            };
            fates.push((*nominal, fate));
        }
        fates
    }

    // One function, since every comparison needs the same decision of the plan.
    fn check(&self) {
        let nominal = self.trigger.next_after(self.watermark).unwrap();
        let next = NextFire {
            nominal,
            at: self.start_of(nominal),
        };
        let job = DueJob {
            id: &self.id,
            trigger: &self.trigger,
            policies: &self.policies,
            watermark: self.watermark,
            next,
        };
        let mut plan = Plan::default();
        plan.decide(job, self.occupancy, self.now).unwrap();

        let model = self.model();
        let with = |fate: Fate| -> Vec<DateTime<Utc>> {
            model
                .iter()
                .filter(|(_, one)| *one == fate)
                .map(|(at, _)| *at)
                .collect()
        };
        assert_eq!(plan.start, with(Fate::Start));
        assert_eq!(plan.queue, with(Fate::Queue));
        let waits = self.policies.overlap == Overlap::CancelRunning && !plan.queue.is_empty();
        let Occupancy { live, queued, .. } = self.occupancy;
        assert_eq!(
            plan.cancel_oldest,
            waits && live >= self.policies.max_instances
        );
        assert_eq!(plan.replace_queued, waits && queued > 0);
        for reason in [
            SkipReason::Missed,
            SkipReason::Coalesced,
            SkipReason::CatchUpLimit,
            SkipReason::Overlap,
            SkipReason::QueueFull,
        ] {
            let expected = with(Fate::Skipped(reason));
            let told: Vec<_> = plan
                .skipped
                .iter()
                .filter(|skipped| skipped.reason == reason)
                .collect();
            assert_eq!(told.len(), usize::from(!expected.is_empty()), "{reason}");
            if let Some(skipped) = told.first() {
                assert_eq!(
                    (skipped.first, skipped.last),
                    (expected[0], expected[expected.len() - 1])
                );
                assert!(!skipped.count.exact || skipped.count.value == expected.len() as u64);
                assert!(skipped.count.exact || skipped.count.value < expected.len() as u64);
            }
        }
        assert_eq!(
            plan.watermark,
            model.last().map_or(self.watermark, |(at, _)| *at)
        );
        let following = self.trigger.next_after(plan.watermark);
        assert_eq!(plan.next.map(|next| next.nominal), following);
    }
}

fn trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        "[1-9][0-9]?".prop_map(|minutes| Trigger::every(&format!("{minutes}m")).unwrap()),
        Just(Trigger::cron("*/7 * * * *").unwrap()),
        Just(Trigger::cron("0,1,2,30 3-5 * * mon-fri").unwrap()),
        Just(Trigger::cron("15 2 * * *").unwrap()),
        Just(Trigger::cron("* * * * *").unwrap()),
    ]
    .prop_map(|trigger| {
        if trigger.kind() == "interval" {
            trigger.with("start", "2026-01-01T00:00:00Z").unwrap()
        } else {
            trigger.timezone_name("Europe/Berlin").unwrap()
        }
    })
}

fn policies() -> impl Strategy<Value = Policies> {
    let coalesce = prop_oneof![
        Just(Coalesce::Latest),
        Just(Coalesce::Earliest),
        (1_u32..20).prop_map(Coalesce::All),
    ];
    let overlap = prop_oneof![
        Just(Overlap::Skip),
        (1_u32..5).prop_map(Overlap::Queue),
        Just(Overlap::CancelRunning),
    ];
    let grace = proptest::option::of(0_u64..20_000);
    (coalesce, overlap, grace, 0_u64..4_000, 1_u32..6).prop_map(
        |(coalesce, overlap, grace, jitter, max_instances)| Policies {
            coalesce,
            overlap,
            misfire_grace_time: grace.map(Duration::from_secs),
            jitter: Duration::from_secs(jitter),
            max_instances,
            ..Policies::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every fire time that has come is started, queued or skipped with a reason, exactly as listed.
    #[test]
    fn plan_matches_a_model_that_lists_every_fire_time(
        trigger in trigger(),
        policies in policies(),
        // Around the night when Berlin puts its clocks forward.
        from_minute in 0_i64..6_000,
        window_minutes in 0_i64..3_000,
        live in 0_u32..6,
        queued in 0_u32..3,
    ) {
        let base: DateTime<Utc> = "2026-03-26T00:00:07Z".parse().unwrap();
        let watermark = base + TimeDelta::minutes(from_minute);
        Case {
            id: JobId::new("job").unwrap(),
            trigger,
            policies,
            watermark,
            now: watermark + TimeDelta::minutes(window_minutes),
            occupancy: Occupancy { live, queued, held: 0 },
        }
        .check();
    }
}
