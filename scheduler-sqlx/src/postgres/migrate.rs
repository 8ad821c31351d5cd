//! Creating and updating the tables.

use crate::sqlx::{Connection as _, PgConnection, PgPool, Row};

use super::connect::answers;
use super::{clock, query};
use crate::error::SqlError;
use crate::migrations::{Migration, POSTGRES, excludes_older_programs, no_older_nodes, pending};
use crate::sqlx;
use crate::tables::Tables;

const READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Creates the tables or updates them; several processes may do so at once.
pub(crate) async fn migrate(pool: &PgPool, tables: &Tables) -> Result<(), SqlError> {
    let mut connection = pool.acquire().await?;
    // Read committed, regardless of the user's default: changes by other processes must be visible.
    let mut transaction = answers(connection.begin_with(READ_COMMITTED)).await?;
    // Nothing is locked if there is nothing to do.
    if pending(POSTGRES, applied(&mut transaction, tables).await?)?.is_empty() {
        transaction.rollback().await?;
        return Ok(());
    }
    query(tables, "SELECT pg_advisory_xact_lock($1)")
        .bind(lock_key(tables))
        .execute(&mut *transaction)
        .await?;
    make_table_of_versions(&mut transaction, tables).await?;
    let applied = applied(&mut transaction, tables).await?;
    let pending = pending(POSTGRES, applied)?;
    if excludes_older_programs(pending, applied) {
        refuse_beside_older_nodes(&mut transaction, tables, pending).await?;
        // No other node joins until the tables are changed, and one that waits finds that it cannot read them.
        sqlx::raw_sql(tables.fill("LOCK TABLE {nodes} IN ACCESS EXCLUSIVE MODE"))
            .execute(&mut *transaction)
            .await?;
        refuse_beside_older_nodes(&mut transaction, tables, pending).await?;
    }
    for migration in pending {
        tracing::info!(
            version = migration.version,
            what = migration.what,
            "migrating"
        );
        sqlx::raw_sql(tables.fill(migration.sql))
            .execute(&mut *transaction)
            .await?;
        let sql = concat!(
            "INSERT INTO {migrations} (version, min_reader, what, applied_at) ",
            "VALUES ($1, $2, $3, ",
            clock!(),
            ")"
        );
        query(tables, sql)
            .bind(migration.version)
            .bind(migration.min_reader)
            .bind(migration.what)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Returns an error if any node holds a lease: it runs a program that knows only the current tables.
async fn refuse_beside_older_nodes(
    connection: &mut PgConnection,
    tables: &Tables,
    pending: &[Migration],
) -> Result<(), SqlError> {
    let sql = concat!(
        "SELECT name, lease_until - ",
        clock!(),
        " AS ends_within FROM {nodes} WHERE is_alive AND lease_until > ",
        clock!(),
        " ORDER BY name"
    );
    let rows = query(tables, sql).fetch_all(connection).await?;
    let leases = rows
        .iter()
        .map(|row| Ok((row.try_get("name")?, row.try_get("ends_within")?)));
    no_older_nodes(pending, leases.collect::<Result<_, sqlx::Error>>()?)
}

/// Checks that the tables exist and are up to date.
pub(crate) async fn check(pool: &PgPool, tables: &Tables) -> Result<(), SqlError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = answers(connection.begin_with(READ_COMMITTED)).await?;
    let applied = applied(&mut transaction, tables).await?;
    transaction.rollback().await?;
    match pending(POSTGRES, applied)?.last() {
        None => Ok(()),
        Some(newest) => Err(SqlError::NotMigrated {
            found: applied.map_or(0, |(version, _)| version),
            needed: newest.version,
        }),
    }
}

/// Returns the newest version of the tables and the oldest program that can read them.
async fn applied(
    connection: &mut PgConnection,
    tables: &Tables,
) -> Result<Option<(i64, i64)>, SqlError> {
    if !has_table_of_versions(connection, tables).await? {
        return Ok(None);
    }
    let sql = "SELECT version, min_reader FROM {migrations} ORDER BY version DESC LIMIT 1";
    let row = query(tables, sql).fetch_optional(connection).await?;
    let read =
        |row: sqlx::postgres::PgRow| Ok((row.try_get("version")?, row.try_get("min_reader")?));
    row.map(read).transpose()
}

/// Reads the catalogue directly: `to_regclass` may have cached that the table did not exist before another process
/// created it.
async fn has_table_of_versions(
    connection: &mut PgConnection,
    tables: &Tables,
) -> Result<bool, SqlError> {
    let name = tables.fill("{migrations}").0;
    let name = name.rsplit_once('.').map_or(&*name, |(_, name)| name);
    let row = query(
        tables,
        "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relname = $1 AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(c.oid)
             ELSE n.nspname = $2 END)",
    )
    .bind(name)
    .bind(tables.schema())
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}

/// Creates the table only if it is missing: `IF NOT EXISTS` would check the right to create it first.
async fn make_table_of_versions(
    connection: &mut PgConnection,
    tables: &Tables,
) -> Result<(), SqlError> {
    if has_table_of_versions(connection, tables).await? {
        return Ok(());
    }
    if let Some(schema) = tables.schema() {
        let there = query(tables, "SELECT 1 FROM pg_namespace WHERE nspname = $1")
            .bind(schema)
            .fetch_optional(&mut *connection)
            .await?;
        if there.is_none() {
            sqlx::raw_sql(tables.fill("CREATE SCHEMA IF NOT EXISTS {schema}"))
                .execute(&mut *connection)
                .await?;
        }
    }
    let sql = "CREATE TABLE {migrations} (version bigint PRIMARY KEY, min_reader bigint NOT NULL, \
         what text NOT NULL, applied_at bigint NOT NULL)";
    sqlx::raw_sql(tables.fill(sql)).execute(connection).await?;
    Ok(())
}

/// Returns the key of the advisory lock of these tables: FNV-1a of their name.
fn lock_key(tables: &Tables) -> i64 {
    let name = tables.fill("scheduler tables {migrations}").0;
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}
