//! Bounds of single policies. The macros check the same bounds while compiling.

use std::borrow::Cow;
use std::time::Duration;

use scheduler_triggers::policies::{PolicyKind, PolicySpec};

use super::{Backoff, Coalesce, Overlap};
use crate::error::PolicyError;

/// A type of policies, whose values may have bounds.
///
/// Values that were never a text have not been compared with the bounds of texts either.
pub(super) trait Check {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError>;
}

impl Check for Option<Duration> {
    fn check(&self, spec: &PolicySpec) -> Result<(), PolicyError> {
        let PolicyKind::Limit { pointless } = spec.kind else {
            return Ok(());
        };
        // Texts count in microseconds: what is shorter would read as `0s`.
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
        if self.bounds().0 < Self::SHORTEST {
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

/// Types without bounds, or with such as are checked elsewhere: names where they are looked up.
macro_rules! unbounded {
    ($($type:ty),+) => {$(
        impl Check for $type {
            fn check(&self, _: &PolicySpec) -> Result<(), PolicyError> {
                Ok(())
            }
        }
    )+};
}

unbounded!(Duration, bool, Cow<'static, str>);
