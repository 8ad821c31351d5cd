//! Guards of the store that can be taken away, to see that the checks miss them.

/// What a store does not do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Without {
    /// It does all that it should.
    #[default]
    Nothing,
    /// A fire time may be claimed more than once.
    UniqueKey,
    /// A node without a lease may claim and finish, and others take its runs while it lives.
    Fence,
    /// Claims do not lock the jobs that they look at.
    RowLock,
}
