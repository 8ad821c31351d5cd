//! The arguments of the builder's policy methods.

use std::borrow::Cow;
use std::time::Duration;

use super::text::PolicyText;
use super::{Backoff, Coalesce, Overlap};
use crate::error::PolicyError;

/// The argument of a builder method for a policy: the value itself, or its text as in an attribute.
///
/// Durations are rounded up to whole microseconds, the resolution at which they are stored.
///
/// A text that cannot be parsed is reported when the policies are used: by [`add_job`](crate::Scheduler::add_job),
/// [`modify_job`](crate::Scheduler::modify_job), [`Builder::start`](crate::Builder::start) or
/// [`PolicyPatch::over`](crate::PolicyPatch::over).
///
/// ```
/// use scheduler_core::{Overlap, Policies, PolicyPatch};
/// use std::time::Duration;
///
/// let texts = PolicyPatch::new().timeout("1m 30s").jitter("5s").overlap("queue(3)");
/// let values = PolicyPatch::new()
///     .timeout(Duration::from_secs(90))
///     .jitter(Duration::from_secs(5))
///     .overlap(Overlap::Queue(3));
/// assert_eq!(texts, values);
///
/// let refused = PolicyPatch::new().timeout("soon").over(&Policies::default()).unwrap_err();
/// assert_eq!(refused.policy(), "timeout");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of this policy",
    label = "expected a `{T}`, or its text where an attribute takes a text"
)]
pub trait IntoPolicy<T> {
    #[doc(hidden)]
    fn into_policy(self, policy: &'static str) -> Result<T, PolicyError>;
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl IntoPolicy<$type> for &str {
            fn into_policy(self, policy: &'static str) -> Result<$type, PolicyError> {
                PolicyText::read(self).map_err(|problem| PolicyError::new(policy, self, problem))
            }
        }

        impl IntoPolicy<$type> for &String {
            fn into_policy(self, policy: &'static str) -> Result<$type, PolicyError> {
                self.as_str().into_policy(policy)
            }
        }

        impl IntoPolicy<$type> for String {
            fn into_policy(self, policy: &'static str) -> Result<$type, PolicyError> {
                self.as_str().into_policy(policy)
            }
        }
    )+};
}

texts!(Option<Duration>, Duration, Coalesce, Overlap, Backoff);

/// Rounds up to whole microseconds, so that a job read from a store equals the one that was added. Rounding down
/// could turn a short limit into no limit at all.
fn whole_micros(duration: Duration) -> Duration {
    match duration.subsec_nanos() % 1_000 {
        0 => duration,
        rest => duration.saturating_add(Duration::from_nanos(u64::from(1_000 - rest))),
    }
}

impl IntoPolicy<Self> for Duration {
    fn into_policy(self, _: &'static str) -> Result<Self, PolicyError> {
        Ok(whole_micros(self))
    }
}

impl IntoPolicy<Self> for Option<Duration> {
    fn into_policy(self, _: &'static str) -> Result<Self, PolicyError> {
        Ok(self.map(whole_micros))
    }
}

impl IntoPolicy<Option<Self>> for Duration {
    fn into_policy(self, _: &'static str) -> Result<Option<Self>, PolicyError> {
        Ok(Some(whole_micros(self)))
    }
}

impl IntoPolicy<Self> for Backoff {
    fn into_policy(self, _: &'static str) -> Result<Self, PolicyError> {
        let (first, longest) = self.bounds();
        Ok(Self::exponential(
            whole_micros(first),
            whole_micros(longest),
        ))
    }
}

impl<N: Into<Cow<'static, str>>> IntoPolicy<Cow<'static, str>> for N {
    fn into_policy(self, _: &'static str) -> Result<Cow<'static, str>, PolicyError> {
        Ok(self.into())
    }
}

macro_rules! itself {
    ($($type:ty),+) => {$(
        impl IntoPolicy<Self> for $type {
            fn into_policy(self, _: &'static str) -> Result<Self, PolicyError> {
                Ok(self)
            }
        }
    )+};
}

itself!(u32, bool, Coalesce, Overlap);
