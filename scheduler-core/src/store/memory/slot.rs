//! The position of a job in the table.

/// The index of a row of the table.
pub(super) type Slot = u32;
