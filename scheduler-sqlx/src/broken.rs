//! Safeguards that a test can take away, to show that it notices.

/// A safeguard to do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// Fire times may be claimed again.
    UniqueKey,
    /// A node without a lease goes on as if it had one.
    Fence,
    /// A job is not locked while its runs are counted.
    RowLock,
}

impl Broken {
    /// The statement without the safeguard.
    pub(crate) fn spoil(self, sql: &str) -> String {
        match self {
            Self::UniqueKey => sql
                .replace("CREATE UNIQUE INDEX", "CREATE INDEX")
                .replace(
                    " ON CONFLICT (job_id, scheduled_for) WHERE kind = 0 DO NOTHING",
                    "",
                )
                .replace(
                    "\n         ON CONFLICT (job_id, scheduled_for) WHERE kind = 0 DO NOTHING",
                    "",
                ),
            Self::RowLock => sql
                .replace(" FOR UPDATE SKIP LOCKED", "")
                .replace(" FOR UPDATE", ""),
            Self::Fence => sql
                .replace(" AND lease_until > ", " AND 0 < ")
                .replace("AND lease_until > ", "AND 0 < "),
        }
    }
}
