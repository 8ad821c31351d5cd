//! Limits on the work of trigger searches, by purpose, in steps of [`Effort`].
//!
//! A step takes 5 to 50 ns in a release build on a machine of 2024, and some 0.5 µs in a debug build.
//!
//! [`Effort`]: scheduler_triggers::Effort

/// The work of a handle's call before it leaves the runtime: well below a millisecond.
pub(crate) const ON_RUNTIME: u64 = 10_000;

/// All searches of one request, such as a preview or a list of upcoming fire times: a tenth of a second.
pub(crate) const REQUEST: u64 = 2_000_000;

/// The search for one fire time of a job. A trigger that needs more is refused.
pub(crate) const FIRE_TIME: u64 = 250_000;

/// The decision about one due job within a claim: four times the limit of one fire time, so that a job that was
/// accepted can also be claimed.
pub(crate) const DECISION: u64 = 4 * FIRE_TIME;

/// The search for the following fire time, which limits jitter. It is the same everywhere, so that all nodes delay a
/// fire time equally.
pub(crate) const FOLLOWING: u64 = 100_000;

/// The search for the last fire time and the count in a record of skipped fire times.
pub(crate) const PENDING: u64 = 100_000;
