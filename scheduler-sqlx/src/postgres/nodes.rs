//! Statements about nodes and their leases, all by the database's clock.

use crate::sqlx::postgres::PgRow;
use crate::sqlx::{PgConnection, Row};
use scheduler_core::store::NewNode;

use super::text::{text, uuids};
use super::{clock, query};
use crate::backend::Sql;
use crate::node_row::{HeartbeatRow, NodeRow, node_code};
use crate::statements::statements;
use crate::tables::Tables;

statements! {
    TIME = concat!("SELECT ", clock!(), " AS now");
    JOIN_NODE = concat!(
        "INSERT INTO {nodes} AS n (id, name, version, started_at, heartbeat_at, lease_until, is_alive) ",
        "SELECT $1, $2, $3, c.now, c.now, c.now + $4, TRUE FROM (SELECT ",
        clock!(),
        " AS now OFFSET 0) c ON CONFLICT (id) DO UPDATE SET heartbeat_at = EXCLUDED.heartbeat_at, ",
        "lease_until = EXCLUDED.lease_until WHERE n.is_alive AND n.lease_until > 0"
    );
    HEARTBEAT = concat!(
        "UPDATE {nodes} n SET heartbeat_at = ",
        clock!(),
        ", lease_until = ",
        clock!(),
        // With ORDER BY, so this is read from the index of nodes that are alive regardless of the statistics.
        " + $2 WHERE id = $1 AND is_alive AND lease_until > 0 RETURNING heartbeat_at AS now, (SELECT o.id FROM {nodes} o ",
        "WHERE o.is_alive AND o.id <> $1 AND o.lease_until < n.heartbeat_at ORDER BY o.id LIMIT 1) ",
        "IS NOT NULL AS has_lost, (SELECT o.id FROM {nodes} o ",
        "WHERE o.is_alive AND o.heartbeat_at > n.heartbeat_at + $3 ORDER BY o.id LIMIT 1) IS NOT NULL ",
        "OR COALESCE((SELECT watermark FROM {jobs} WHERE next_at IS NOT NULL ",
        "ORDER BY watermark DESC LIMIT 1) > n.heartbeat_at + $3, FALSE) AS needs_repair"
    );
    CUT_LEASES = concat!(
        "UPDATE {nodes} n SET heartbeat_at = c.now, lease_until = c.now + (n.lease_until - n.heartbeat_at) FROM (SELECT ",
        clock!(),
        " AS now OFFSET 0) c WHERE n.id = ANY(ARRAY(SELECT id FROM {nodes} WHERE is_alive AND heartbeat_at > ",
        clock!(),
        " + $1 ORDER BY id FOR UPDATE SKIP LOCKED))"
    );
    LEAVE_NODE = "UPDATE {nodes} SET is_alive = FALSE
         WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM {runs} WHERE node = $1 AND slot = {holds})";
    HOLD_LEASE = concat!(
        "SELECT 1 FROM {nodes} WHERE id = $1 AND is_alive AND lease_until > ",
        clock!(),
        " FOR KEY SHARE"
    );
    LOCK_NODE = "SELECT 1 FROM {nodes} WHERE id = $1 FOR UPDATE";
    LOCK_LOST_NODES = concat!(
        "SELECT id FROM {nodes} WHERE is_alive AND lease_until < ",
        clock!(),
        " FOR UPDATE SKIP LOCKED"
    );
    END_LEASES = "UPDATE {nodes} SET lease_until = 0 WHERE id = ANY($1) AND lease_until > 0";
    BURY = "UPDATE {nodes} SET is_alive = FALSE WHERE id = ANY($1)";
    LIST_NODES = concat!(
        "SELECT n.id, n.name, n.version, n.started_at, n.heartbeat_at, ",
        "n.is_alive AND n.lease_until > ",
        clock!(),
        " AS lives, COALESCE(held.count, 0) AS running FROM (SELECT * FROM {nodes} WHERE is_alive UNION ALL ",
        "(SELECT * FROM {nodes} WHERE NOT is_alive ORDER BY started_at DESC LIMIT $1)) n ",
        "LEFT JOIN (SELECT node, count(*) AS count FROM {runs} WHERE slot = {holds} GROUP BY node) held ",
        "ON held.node = n.id ORDER BY lives DESC, n.started_at DESC, n.id DESC"
    );
    PRUNE_NODES = "DELETE FROM {nodes} WHERE id = ANY(ARRAY(SELECT n.id FROM {nodes} n
         WHERE NOT n.is_alive
           AND (n.heartbeat_at < $1 OR n.started_at <= (SELECT started_at FROM {nodes}
                 WHERE NOT is_alive ORDER BY started_at DESC OFFSET $2 LIMIT 1))
           AND NOT EXISTS (SELECT 1 FROM {runs} r WHERE r.node = n.id AND r.slot > {none})
         ORDER BY n.started_at LIMIT $3 FOR UPDATE OF n SKIP LOCKED))";
    NOTIFY = "SELECT pg_notify($1, $2)";
    NOTIFY_OF_SLOTS = "SELECT pg_notify($1, '0') WHERE EXISTS (SELECT 1 FROM {runs} w WHERE w.slot = {waits}
             AND w.job_id IN (SELECT r.job_id FROM {runs} r WHERE r.id = ANY($2)))";
}

pub(super) async fn time(tables: &Tables, connection: &mut PgConnection) -> Sql<i64> {
    let row = query(tables, TIME);
    row.fetch_one(connection).await?.try_get("now")
}

pub(super) async fn join_node(
    tables: &Tables,
    connection: &mut PgConnection,
    node: &NewNode,
    lease: i64,
) -> Sql<()> {
    query(tables, JOIN_NODE)
        .bind(node_code(node.id))
        .bind(text(&node.name))
        .bind(text(&node.version))
        .bind(lease)
        .execute(connection)
        .await?;
    Ok(())
}

/// Succeeds even after the lease has expired, as long as no other node has begun to take over the node's runs.
pub(super) async fn heartbeat(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
    lease: i64,
    ahead: i64,
) -> Sql<Option<HeartbeatRow>> {
    let query = query(tables, HEARTBEAT).bind(node).bind(lease).bind(ahead);
    let read = |row: PgRow| {
        Ok(HeartbeatRow {
            now: row.try_get("now")?,
            has_lost: row.try_get("has_lost")?,
            needs_repair: row.try_get("needs_repair")?,
        })
    };
    query
        .fetch_optional(connection)
        .await?
        .map(read)
        .transpose()
}

/// A heartbeat is never blocked by other writers here: it has a row of its own.
pub(super) async fn is_only_node(
    _tables: &Tables,
    _connection: &mut PgConnection,
    _node: i64,
) -> Sql<bool> {
    Ok(false)
}

/// Skips nodes that are renewing their lease.
pub(super) async fn cut_leases(
    tables: &Tables,
    connection: &mut PgConnection,
    ahead: i64,
) -> Sql<u64> {
    let query = query(tables, CUT_LEASES).bind(ahead);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn leave_node(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
) -> Sql<()> {
    query(tables, LEAVE_NODE)
        .bind(node)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn hold_lease(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
) -> Sql<bool> {
    let row = query(tables, HOLD_LEASE)
        .bind(node)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// In a separate statement, so that the next one sees what was committed meanwhile.
pub(super) async fn lock_node(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
) -> Sql<()> {
    query(tables, LOCK_NODE)
        .bind(node)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn lock_lost_nodes(
    tables: &Tables,
    connection: &mut PgConnection,
) -> Sql<Vec<i64>> {
    let rows = query(tables, LOCK_LOST_NODES).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}

pub(super) async fn end_leases(
    tables: &Tables,
    connection: &mut PgConnection,
    nodes: &[i64],
) -> Sql<()> {
    query(tables, END_LEASES)
        .bind(nodes)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn bury(tables: &Tables, connection: &mut PgConnection, nodes: &[i64]) -> Sql<()> {
    query(tables, BURY).bind(nodes).execute(connection).await?;
    Ok(())
}

pub(super) async fn list_nodes(
    tables: &Tables,
    connection: &mut PgConnection,
    gone: i64,
) -> Sql<Vec<NodeRow>> {
    let read = |row: &PgRow| {
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
    let rows = query(tables, LIST_NODES)
        .bind(gone)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn prune_nodes(
    tables: &Tables,
    connection: &mut PgConnection,
    before: i64,
    keep: i64,
    limit: i64,
) -> Sql<u64> {
    let query = query(tables, PRUNE_NODES)
        .bind(before)
        .bind(keep)
        .bind(limit);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn notify_of_slots(
    tables: &Tables,
    connection: &mut PgConnection,
    ids: &[u128],
) -> Sql<()> {
    query(tables, NOTIFY_OF_SLOTS)
        .bind(tables.channel())
        .bind(uuids(ids))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn notify(tables: &Tables, connection: &mut PgConnection, due: i64) -> Sql<()> {
    query(tables, NOTIFY)
        .bind(tables.channel())
        .bind(due.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
