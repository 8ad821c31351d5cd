//! The writes of a fire without a scheduler: what benchmarks are compared with.

use std::time::Duration;

use scheduler_core::RunState;
use tokio::time::Instant;

use crate::backend::Backend;
use crate::engine::{Engine, Failure};
use crate::job_row::Advance;
use crate::run_row::{EndRow, NewRun};
use crate::store::{Database, SqlStore};

impl SqlStore {
    /// Writes what fires write (the job advanced and the run inserted in one transaction, the run ended
    /// in another), in batches of so many, over jobs that are in the store, for so long. How many fires.
    ///
    /// # Errors
    /// A text.
    pub async fn write_limit(
        &self,
        ids: &[String],
        batch: usize,
        duration: Duration,
    ) -> Result<u64, String> {
        let done = match &self.0 {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(engine) => engine.write_limit(ids, batch, duration).await,
            #[cfg(feature = "postgres")]
            Database::Postgres(engine) => engine.write_limit(ids, batch, duration).await,
        };
        done.map_err(|failure| match failure {
            Failure::Fenced => "fenced".to_owned(),
            Failure::Sql(error) => error.to_string(),
        })
    }
}

impl<B: Backend> Engine<B> {
    async fn write_limit(
        &self,
        ids: &[String],
        batch: usize,
        duration: Duration,
    ) -> Result<u64, Failure> {
        let backend = &self.backend;
        let node = scheduler_core::store::NewNode {
            id: scheduler_core::NodeId::random(),
            name: "limit".into(),
            version: "".into(),
        };
        let code = crate::node_row::node_code(node.id);
        let mut session = self.write().await?;
        backend
            .join_node(&mut session, &node, 3_600_000_000)
            .await?;
        session.commit(backend).await?;
        let end = Instant::now() + duration;
        // Far from the fire times of anything else in the same tables.
        let mut at = 4_000_000_000_000_000_i64;
        let mut run: u128 = 0x019b_76da_a800_8000_8000_0000_0000_0000;
        let mut done = 0;
        while Instant::now() < end {
            at += 1_000_000;
            for part in ids.chunks(batch) {
                let first = run;
                run += part.len() as u128;
                let advances: Vec<Advance<'_>> = part
                    .iter()
                    .map(|id| Advance {
                        id,
                        watermark: at,
                        next: Some((at + 1_000_000, at + 1_000_000)),
                        ended_at: None,
                        ctid: None,
                        open_from: None,
                    })
                    .collect();
                let runs: Vec<NewRun<'_>> = part
                    .iter()
                    .zip(first..)
                    .map(|(id, run)| NewRun {
                        id: run,
                        job_id: id,
                        task: "nothing",
                        kind: scheduler_core::RunKind::Scheduled.code(),
                        scheduled_for: at,
                        node: Some(code),
                        started_at: Some(at),
                    })
                    .collect();
                let mut session = self.write().await?;
                backend.advance_jobs(&mut session, &advances).await?;
                backend.insert_runs(&mut session, &runs).await?;
                session.commit(backend).await?;
                let ends: Vec<EndRow<'_>> = (first..run)
                    .map(|id| EndRow {
                        id,
                        attempt: 1,
                        state: RunState::Succeeded.code(),
                        holds_slot: false,
                        started_at: at,
                        finished_at: at + 1,
                        lateness: 1,
                        error: None,
                        value: None,
                    })
                    .collect();
                let mut session = self.write().await?;
                let ended = backend.end_runs(&mut session, code, &ends).await?;
                session.commit(backend).await?;
                done += ended.len() as u64;
                if Instant::now() >= end {
                    break;
                }
            }
        }
        Ok(done)
    }
}
