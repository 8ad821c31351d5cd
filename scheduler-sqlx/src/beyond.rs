//! Finding the newest row beyond the retention, with a bounded number of rows read per call.

use crate::backend::{Backend, Connection, Sql};
use crate::counted::{Counted, PART, Part};
use crate::engine::Engine;

/// Returns the `seq` of a skipped fire time, which is counted from 1.
fn seq(id: u128) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl<B: Backend> Engine<B> {
    /// Counts new runs, and some of the others again. Returns `true` if more remain to be counted.
    pub(crate) async fn count_runs(
        &self,
        connection: &mut Connection<B>,
        counted: &mut Counted,
    ) -> Sql<bool> {
        let after = counted.newest();
        let tally = self
            .backend
            .tally_runs(connection, after, u128::MAX, PART)
            .await?;
        let more = counted.enter(after, tally);
        if !more && let Some(part) = counted.in_turn() {
            self.count_again(connection, counted, part).await?;
        }
        Ok(more)
    }

    async fn count_again(
        &self,
        connection: &mut Connection<B>,
        counted: &mut Counted,
        part: Part,
    ) -> Sql<()> {
        let tally = self
            .backend
            .tally_runs(connection, part.after, part.upto, PART)
            .await?;
        counted.correct(part, tally);
        Ok(())
    }

    /// Counts new skipped fire times. Returns `true` if more remain to be counted.
    pub(crate) async fn count_skipped(
        &self,
        connection: &mut Connection<B>,
        counted: &mut Counted,
    ) -> Sql<bool> {
        let after = counted.newest();
        let tally = self
            .backend
            .tally_skipped(connection, seq(after), i64::MAX, PART)
            .await?;
        Ok(counted.enter(after, tally))
    }

    /// Returns the newest ended run beyond the number that is kept, and how many newer ones there are in its part.
    pub(crate) async fn last_run_beyond(
        &self,
        connection: &mut Connection<B>,
        counted: &mut Counted,
        keep: u64,
    ) -> Sql<Option<(u128, u64)>> {
        while let Some((part, kept)) = counted.beyond(keep) {
            let found = self
                .backend
                .nth_newest_run(connection, part.after, part.upto, offset(kept))
                .await?;
            if let Some(id) = found {
                return Ok(Some((id, kept)));
            }
            // Another node has deleted rows of it.
            self.count_again(connection, counted, part).await?;
        }
        Ok(None)
    }

    /// As [`last_run_beyond`](Self::last_run_beyond), for skipped fire times.
    pub(crate) async fn last_skipped_beyond(
        &self,
        connection: &mut Connection<B>,
        counted: &mut Counted,
        keep: u64,
    ) -> Sql<Option<(i64, u64)>> {
        while let Some((part, kept)) = counted.beyond(keep) {
            let found = self
                .backend
                .nth_newest_skipped(connection, seq(part.after), seq(part.upto), offset(kept))
                .await?;
            if let Some(found) = found {
                return Ok(Some((found, kept)));
            }
            let tally = self
                .backend
                .tally_skipped(connection, seq(part.after), seq(part.upto), PART)
                .await?;
            counted.correct(part, tally);
        }
        Ok(None)
    }
}

fn offset(kept: u64) -> i64 {
    i64::try_from(kept).unwrap_or(i64::MAX)
}
