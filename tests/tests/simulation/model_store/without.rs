//! Guards of the store that can be removed, to prove that the checks detect it.

/// The guard that a store lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Without {
    /// The store has all of its guards.
    #[default]
    Nothing,
    /// A fire time may be claimed more than once.
    UniqueKey,
    /// A node without a lease may claim and finish, and others take over its runs while it is alive.
    Fence,
    /// Claims do not lock the jobs that they read.
    RowLock,
}
