//! Creating and updating the tables.

use crate::sqlx::{Row, SqliteConnection};

use super::{Sqlite, statement};
use crate::engine::Engine;
use crate::error::SqlError;
use crate::migrations::{Migration, SQLITE, excludes_older_programs, no_older_nodes, pending};
use crate::sqlx;
use crate::tables::Tables;

impl Engine<Sqlite> {
    /// Updates the tables, in one transaction; other writers wait meanwhile.
    pub(crate) async fn migrate(&self) -> Result<(), SqlError> {
        // Nothing is written if there is nothing to do: the file may be read-only.
        if pending(SQLITE, self.applied().await?)?.is_empty() {
            return Ok(());
        }
        let mut session = self.write().await?;
        let sql = "CREATE TABLE IF NOT EXISTS {migrations} (version integer PRIMARY KEY, \
            min_reader integer NOT NULL, applied_at integer NOT NULL, what text NOT NULL) STRICT";
        sqlx::query(statement(&self.backend.tables, sql))
            .execute(&mut *session)
            .await?;
        let applied = applied(&self.backend.tables, &mut session).await?;
        let pending = pending(SQLITE, applied)?;
        if excludes_older_programs(pending, applied) {
            refuse_beside_older_nodes(&self.backend.tables, &mut session, pending).await?;
        }
        for migration in pending {
            tracing::info!(
                version = migration.version,
                what = migration.what,
                "migrating"
            );
            sqlx::raw_sql(statement(&self.backend.tables, migration.sql))
                .execute(&mut *session)
                .await?;
            let sql = "INSERT INTO {migrations} (version, min_reader, applied_at, what) \
                VALUES (?1, ?2, {now}, ?3)";
            sqlx::query(statement(&self.backend.tables, sql))
                .bind(migration.version)
                .bind(migration.min_reader)
                .bind(migration.what)
                .execute(&mut *session)
                .await?;
        }
        session.commit(&self.backend).await?;
        Ok(())
    }

    /// Checks that the tables exist and can be read.
    pub(crate) async fn check(&self) -> Result<(), SqlError> {
        let applied = self.applied().await?;
        let missing = pending(SQLITE, applied)?;
        match missing.last() {
            None => Ok(()),
            Some(newest) => Err(SqlError::NotMigrated {
                found: applied.map_or(0, |(version, _)| version),
                needed: newest.version,
            }),
        }
    }

    /// Returns the newest version of the tables and the oldest program that can read them.
    async fn applied(&self) -> Result<Option<(i64, i64)>, SqlError> {
        let mut session = self.read().await?;
        let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{migrations}'";
        let exists = sqlx::query(statement(&self.backend.tables, sql))
            .fetch_optional(&mut *session)
            .await?;
        let found = match exists {
            Some(_) => applied(&self.backend.tables, &mut session).await?,
            None => None,
        };
        session.end(&self.backend).await?;
        Ok(found)
    }
}

/// Returns an error if any node holds a lease: it runs a program that knows only the current tables. No other node
/// joins during the transaction, which is the only one that can write.
async fn refuse_beside_older_nodes(
    tables: &Tables,
    connection: &mut SqliteConnection,
    pending: &[Migration],
) -> Result<(), SqlError> {
    let sql = "SELECT name, lease_until - {now} AS ends_within FROM {nodes} \
        WHERE is_alive = 1 AND lease_until > {now} ORDER BY name";
    let rows = sqlx::query(statement(tables, sql))
        .fetch_all(connection)
        .await?;
    let leases = rows
        .iter()
        .map(|row| Ok((row.try_get("name")?, row.try_get("ends_within")?)));
    no_older_nodes(pending, leases.collect::<Result<_, sqlx::Error>>()?)
}

async fn applied(
    tables: &Tables,
    connection: &mut SqliteConnection,
) -> Result<Option<(i64, i64)>, SqlError> {
    let sql = "SELECT version, min_reader FROM {migrations} ORDER BY version DESC LIMIT 1";
    let row = sqlx::query(statement(tables, sql))
        .fetch_optional(connection)
        .await?;
    Ok(match row {
        Some(row) => Some((row.try_get("version")?, row.try_get("min_reader")?)),
        None => None,
    })
}
