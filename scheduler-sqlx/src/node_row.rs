//! A node as a row.

use scheduler_core::store::NewNode;
use scheduler_core::{Node, NodeId};

use crate::instant::from_micros;
use crate::record_problem::RecordProblem;

/// The columns of a node, and the number of runs that it holds.
#[derive(Debug)]
pub(crate) struct NodeRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) started_at: i64,
    pub(crate) heartbeat_at: i64,
    /// The flag is set and the lease is valid.
    pub(crate) is_alive: bool,
    pub(crate) running: i64,
}

/// The answer to a heartbeat.
#[derive(Debug)]
pub(crate) struct HeartbeatRow {
    /// The time of the database's clock.
    pub(crate) now: i64,
    /// `true` if there are nodes for [`lock_lost_nodes`](crate::backend::Backend::lock_lost_nodes).
    pub(crate) has_lost: bool,
    pub(crate) needs_repair: bool,
}

impl NodeRow {
    pub(crate) fn read(self) -> Result<Node, RecordProblem> {
        let node = NewNode {
            id: node_id(self.id),
            name: self.name.into(),
            version: self.version.into(),
        };
        let mut node = Node::new(node, from_micros(self.started_at)?);
        node.heartbeat_at = from_micros(self.heartbeat_at)?;
        node.is_alive = self.is_alive;
        node.running = self.running.unsigned_abs();
        Ok(node)
    }
}

/// Node ids are below 2^63, so they are the same number in a column.
pub(crate) fn node_code(node: NodeId) -> i64 {
    node.as_u64().cast_signed()
}

pub(crate) fn node_id(code: i64) -> NodeId {
    NodeId::new(code.cast_unsigned())
}
