//! Bounds of individual policies. The macros check the same bounds at compile time.

use std::borrow::Cow;
use std::time::Duration;

use scheduler_triggers::format_duration;
use scheduler_triggers::policies::{PolicyKind, PolicySpec};

use super::{Backoff, Coalesce, Overlap};
use crate::error::PolicyError;

/// A policy type, whose values may have bounds.
///
/// Values that were never parsed from text have not been checked against the bounds of texts either.
pub(super) trait Check {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError>;
}

impl Check for Duration {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError> {
        match spec.kind.too_long(*self) {
            Some(problem) => Err(PolicyError::new(spec.name, format_duration(*self), problem)),
            None => Ok(()),
        }
    }
}

impl Check for Option<Duration> {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError> {
        self.unwrap_or_default().check(spec)?;
        let PolicyKind::Limit { pointless } = spec.kind else {
            return Ok(());
        };
        // Texts have microsecond resolution: anything shorter would be written as `0s`.
        if self.is_some_and(|limit| limit.as_micros() == 0) {
            let problem = format!("{pointless} within it: write a longer time, or `none`");
            return Err(PolicyError::new(spec.name, "0s", problem));
        }
        Ok(())
    }
}

impl Check for u32 {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError> {
        let PolicyKind::Count(bounds) = spec.kind else {
            return Ok(());
        };
        if bounds.contain(*self) {
            return Ok(());
        }
        let problem = match bounds.refusal(*self, false) {
            ("", remedy) => remedy,
            (reason, remedy) => format!("{reason}: {remedy}"),
        };
        Err(PolicyError::new(spec.name, self.to_string(), problem))
    }
}

impl Check for Backoff {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError> {
        let (first, longest) = self.bounds();
        if let Some(problem) = spec.kind.too_long(longest) {
            return Err(PolicyError::new(spec.name, self.to_string(), problem));
        }
        if first < Self::SHORTEST {
            return Err(PolicyError::new(
                spec.name,
                self.to_string(),
                "a job that keeps failing would do nothing else: wait at least `1ms`",
            ));
        }
        Ok(())
    }
}

impl Check for Coalesce {
    fn check(&self, _: &PolicySpec) -> Result<(), PolicyError> {
        Self::check(*self)
    }
}

impl Check for Overlap {
    fn check(&self, _: &PolicySpec) -> Result<(), PolicyError> {
        Self::check(*self)
    }
}

/// Types that have no bounds, or whose bounds are checked elsewhere: names are checked where they are looked up.
macro_rules! unbounded {
    ($($type:ty),+) => {$(
        impl Check for $type {
            fn check(&self, _: &PolicySpec) -> Result<(), PolicyError> {
                Ok(())
            }
        }
    )+};
}

unbounded!(bool, Cow<'static, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policies, PolicyPatch};

    type WithDuration = fn(PolicyPatch, Duration) -> PolicyPatch;

    const DURATIONS: [(&str, WithDuration); 5] = [
        ("misfire_grace_time", |patch, time| {
            patch.misfire_grace_time(time)
        }),
        ("timeout", |patch, time| patch.timeout(time)),
        ("jitter", |patch, time| patch.jitter(time)),
        ("backoff", |patch, time| {
            patch.backoff(Backoff::constant(time))
        }),
        ("backoff", |patch, time| {
            patch.backoff(Backoff::exponential(Backoff::SHORTEST, time))
        }),
    ];

    #[test]
    fn duration_is_refused_unless_it_can_be_read_back() {
        let longer = PolicyKind::LONGEST + Duration::from_micros(1);
        for (name, with) in DURATIONS {
            let over = |time| with(PolicyPatch::new(), time).over(&Policies::default());
            let policies = over(PolicyKind::LONGEST).unwrap();
            let stored = serde_json::to_string(&policies).unwrap();
            assert_eq!(
                serde_json::from_str::<Policies>(&stored).unwrap(),
                policies,
                "{name}"
            );
            for time in [longer, Duration::MAX] {
                let refused = over(time).unwrap_err().to_string();
                let value = format!("{}`: ", format_duration(time));
                assert!(
                    refused.starts_with(&format!("`{name}`: ")) && refused.contains(&value),
                    "{refused}"
                );
                assert!(
                    refused.contains("`213503982d 8h 1m 49s 551ms 615us`"),
                    "{refused}"
                );
            }
        }
    }

    #[test]
    fn duration_is_rounded_up_to_microseconds() {
        for (name, with) in DURATIONS {
            let over = |time| with(PolicyPatch::new(), time).over(&Policies::default());
            let rounded = over(Duration::from_nanos(2_000_500)).unwrap();
            assert_eq!(
                rounded,
                over(Duration::from_micros(2_001)).unwrap(),
                "{name}"
            );
            let stored = serde_json::to_string(&rounded).unwrap();
            assert_eq!(
                serde_json::from_str::<Policies>(&stored).unwrap(),
                rounded,
                "{name}"
            );
        }
    }
}
