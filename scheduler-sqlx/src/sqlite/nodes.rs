//! Statements about nodes.

use crate::sqlx::sqlite::SqliteRow;
use crate::sqlx::{Row, SqliteConnection};
use scheduler_core::store::NewNode;

use super::{json, statement};
use crate::backend::Sql;
use crate::node_row::{HeartbeatRow, NodeRow, node_code};
use crate::sqlx;
use crate::statements::statements;
use crate::tables::Tables;

/// A heartbeat waits for other writers for at most one n-th of the lease: less than a third of the heartbeat interval.
const HEARTBEAT_PATIENCE: i64 = 10;

statements! {
    TIME = "SELECT {now} AS now";
    JOIN_NODE = "INSERT INTO {nodes} (id, name, version, started_at, heartbeat_at, lease_until, is_alive) \
        VALUES (?1, ?2, ?3, {now}, {now}, {now} + ?4, 1) \
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = {now}, lease_until = {now} + ?4 \
        WHERE is_alive = 1 AND lease_until > 0";
    HEARTBEAT = "UPDATE {nodes} SET heartbeat_at = {now}, lease_until = {now} + ?2 \
        WHERE id = ?1 AND is_alive = 1 AND lease_until > 0 \
        RETURNING heartbeat_at AS now, EXISTS (SELECT 1 FROM {nodes} AS other \
            WHERE other.is_alive = 1 AND other.lease_until < {now} AND other.id <> ?1) AS has_lost, \
        EXISTS (SELECT 1 FROM {nodes} AS other WHERE other.is_alive = 1 AND other.heartbeat_at > {now} + ?3) \
            OR coalesce((SELECT watermark FROM {jobs} WHERE next_at IS NOT NULL \
                ORDER BY watermark DESC LIMIT 1) > {now} + ?3, 0) AS needs_repair";
    IS_ONLY_NODE = "SELECT count(*) = 1 AND max(id) = ?1 FROM {nodes} WHERE is_alive = 1";
    CUT_LEASES = "UPDATE {nodes} SET heartbeat_at = {now}, lease_until = {now} + (lease_until - heartbeat_at) \
        WHERE is_alive = 1 AND heartbeat_at > {now} + ?1";
    LEAVE_NODE = "UPDATE {nodes} SET is_alive = 0, lease_until = {now} WHERE id = ?1 \
        AND NOT EXISTS (SELECT 1 FROM {runs} WHERE slot > {none} AND slot = {holds} AND node = ?1)";
    HOLD_LEASE = "SELECT 1 FROM {nodes} WHERE id = ?1 AND is_alive = 1 AND lease_until > {now}";
    LOCK_LOST_NODES = "SELECT id FROM {nodes} WHERE is_alive = 1 AND lease_until < {now}";
    END_LEASES = "UPDATE {nodes} SET lease_until = 0 \
        WHERE id IN (SELECT value FROM json_each(?1)) AND lease_until > 0";
    BURY = "UPDATE {nodes} SET is_alive = 0 WHERE id IN (SELECT value FROM json_each(?1))";
    LIST_NODES = "SELECT id, name, version, started_at, heartbeat_at, \
            is_alive = 1 AND lease_until > {now} AS lives, \
            (SELECT count(*) FROM {runs} AS r WHERE r.slot > {none} AND r.slot = {holds} AND r.node = n.id) AS running \
        FROM (SELECT * FROM {nodes} WHERE is_alive = 1 UNION ALL SELECT * FROM (SELECT * FROM {nodes} \
            WHERE is_alive = 0 ORDER BY started_at DESC LIMIT ?1)) AS n \
        ORDER BY lives DESC, started_at DESC";
}

pub(super) async fn time(tables: &Tables, connection: &mut SqliteConnection) -> Sql<i64> {
    let row = sqlx::query(statement(tables, TIME));
    row.fetch_one(connection).await?.try_get("now")
}

pub(super) async fn join_node(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: &NewNode,
    lease: i64,
) -> Sql<()> {
    let query = sqlx::query(statement(tables, JOIN_NODE)).bind(node_code(node.id));
    let query = query.bind(&*node.name).bind(&*node.version).bind(lease);
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn heartbeat(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    lease: i64,
    ahead: i64,
) -> Sql<Option<HeartbeatRow>> {
    // Another program may write for long: then it is better to return soon and retry.
    let patience = format!(
        "PRAGMA busy_timeout = {}",
        lease / HEARTBEAT_PATIENCE / 1_000
    );
    sqlx::query(sqlx::AssertSqlSafe(patience))
        .execute(&mut *connection)
        .await?;
    let query = sqlx::query(statement(tables, HEARTBEAT));
    let query = query.bind(node).bind(lease).bind(ahead);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| {
        Ok(HeartbeatRow {
            now: row.try_get("now")?,
            has_lost: row.try_get("has_lost")?,
            needs_repair: row.try_get("needs_repair")?,
        })
    })
    .transpose()
}

pub(super) async fn is_only_node(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<bool> {
    let query = sqlx::query_scalar(statement(tables, IS_ONLY_NODE)).bind(node);
    let is_only: Option<bool> = query.fetch_one(connection).await?;
    Ok(is_only.unwrap_or(false))
}

pub(super) async fn cut_leases(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ahead: i64,
) -> Sql<u64> {
    let query = sqlx::query(statement(tables, CUT_LEASES)).bind(ahead);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn leave_node(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<()> {
    sqlx::query(statement(tables, LEAVE_NODE))
        .bind(node)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn hold_lease(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<bool> {
    let row = sqlx::query(statement(tables, HOLD_LEASE))
        .bind(node)
        .fetch_optional(connection);
    Ok(row.await?.is_some())
}

/// Does nothing: a write transaction begins after all others have ended.
pub(super) async fn lock_node(
    _tables: &Tables,
    _connection: &mut SqliteConnection,
    _node: i64,
) -> Sql<()> {
    Ok(())
}

pub(super) async fn lock_lost_nodes(
    tables: &Tables,
    connection: &mut SqliteConnection,
) -> Sql<Vec<i64>> {
    let rows = sqlx::query(statement(tables, LOCK_LOST_NODES))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}

pub(super) async fn end_leases(
    tables: &Tables,
    connection: &mut SqliteConnection,
    nodes: &[i64],
) -> Sql<()> {
    let query = sqlx::query(statement(tables, END_LEASES)).bind(json::rows(nodes));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn bury(
    tables: &Tables,
    connection: &mut SqliteConnection,
    nodes: &[i64],
) -> Sql<()> {
    let query = sqlx::query(statement(tables, BURY)).bind(json::rows(nodes));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn list_nodes(
    tables: &Tables,
    connection: &mut SqliteConnection,
    gone: i64,
) -> Sql<Vec<NodeRow>> {
    let rows = sqlx::query(statement(tables, LIST_NODES))
        .bind(gone)
        .fetch_all(connection)
        .await?;
    let read = |row: &SqliteRow| {
        Ok(NodeRow {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            version: row.try_get("version")?,
            started_at: row.try_get("started_at")?,
            heartbeat_at: row.try_get("heartbeat_at")?,
            is_alive: row.try_get("lives")?,
            running: row.try_get("running")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Does nothing, as `notify`.
pub(super) async fn notify_of_slots(
    _tables: &Tables,
    _connection: &mut SqliteConnection,
    _ids: &[u128],
) -> Sql<()> {
    Ok(())
}

/// Does nothing: other nodes detect a commit by the version of the file.
pub(super) async fn notify(
    _tables: &Tables,
    _connection: &mut SqliteConnection,
    _due: i64,
) -> Sql<()> {
    Ok(())
}
