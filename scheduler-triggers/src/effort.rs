//! What one search has cost so far.

/// Counts the work that a search for one fire time does, and thereby bounds it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    /// Months looked at.
    pub(crate) months: u64,
    /// How often an `and` went on to its children's next common candidate.
    pub(crate) leaps: u32,
}
