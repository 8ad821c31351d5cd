//! How much work searches of triggers may do, by what they are for; in steps of [`Effort`].
//!
//! A step takes 5 to 50 ns in a release build on a machine of 2024, and some 0.5 µs in a debug build.
//!
//! [`Effort`]: scheduler_triggers::Effort

/// What a call of the handle does before it leaves the runtime: well below a millisecond.
pub(crate) const ON_RUNTIME: u64 = 10_000;

/// All searches of one request, such as a preview or a list of what comes next: a tenth of a second.
pub(crate) const REQUEST: u64 = 2_000_000;

/// The search for one fire time of a job; a trigger that needs more is refused.
pub(crate) const FIRE_TIME: u64 = 250_000;

/// The decision about one due job within a claim: four times what a fire time may cost, so that a job
/// that was accepted can also be claimed.
pub(crate) const DECISION: u64 = 4 * FIRE_TIME;

/// The search for the fire time that a jitter must not go beyond. The same wherever it is asked, so that
/// all nodes delay a fire time alike.
pub(crate) const FOLLOWING: u64 = 100_000;

/// What is searched for a record of skipped fire times: their last one, and how many there are.
pub(crate) const PENDING: u64 = 100_000;
