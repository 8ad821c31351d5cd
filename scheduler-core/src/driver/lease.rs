//! The lease of this node in one store: joining, keeping the lease, leaving.

use std::sync::Arc;
use std::time::Duration;

use super::heartbeat::{Heartbeats, Warn, renew_at_once};
use crate::clock::Reading;
use crate::engine::Engine;
use crate::engine::port::StorePort;
use crate::engine::standing::Standing;
use crate::node::NodeId;
use crate::store::{NewNode, StoreError};

/// How long a node waits for the store to accept it.
const JOIN_LIMIT: Duration = Duration::from_secs(10);

/// How long a node waits for the store to remove it.
const LEAVE_LIMIT: Duration = Duration::from_millis(500);

/// See the module documentation.
pub(super) struct Lease {
    engine: Arc<Engine>,
    port: Arc<StorePort>,
    /// Renew the lease once the store has confirmed that it supports leases.
    heartbeats: Option<Heartbeats>,
    has_joined: bool,
}

impl Lease {
    pub(super) fn new(engine: Arc<Engine>, port: Arc<StorePort>) -> Self {
        Self {
            engine,
            port,
            heartbeats: None,
            has_joined: false,
        }
    }

    /// Returns `true` if the store is known to support leases.
    pub(super) fn is_known(&self) -> bool {
        self.heartbeats.is_some()
    }

    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Returns `true` if there is a lease, which may run out.
    pub(super) fn is_held(&self) -> bool {
        self.has_joined && self.is_known()
    }

    /// Waits until the lease has run out, or forever if there is none.
    pub(super) async fn expired(&self) {
        if self.is_held() {
            self.port.membership().expired(self.engine.clock()).await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    /// Joins the store as this node, with a time limit.
    pub(super) async fn join_in_time(&mut self, node: NodeId) -> Result<(), StoreError> {
        let joined = tokio::time::timeout(JOIN_LIMIT, self.keep(node)).await;
        joined.unwrap_or_else(|_| Err(StoreError::unreachable("no answer when this node joined")))
    }

    /// Makes sure that the lease holds, and joins the store if this node has not.
    pub(super) async fn keep(&mut self, node: NodeId) -> Result<(), StoreError> {
        if !self.has_joined {
            return self.join(node).await;
        }
        let holds = !self.is_known() || self.port.membership().confirmed(self.engine.clock()).await;
        if holds || self.is_still_ours().await {
            Ok(())
        } else if self.may_go_on() {
            Err(StoreError::new("the lease of this node cannot be renewed"))
        } else {
            Err(StoreError::fenced())
        }
    }

    async fn join(&mut self, id: NodeId) -> Result<(), StoreError> {
        let node = NewNode {
            id,
            name: self.engine.node_name.clone(),
            version: self.engine.node_version().clone(),
        };
        let warn = self.warn();
        let clock = self.engine.shared_clock();
        let sent = Reading::of(&*clock);
        let Some(lease) = self.port.store().join(&node).await? else {
            self.has_joined = true;
            self.port.set_node(Some(id));
            return Ok(());
        };
        self.port.membership().hold(id, lease, sent);
        if clock.is_real()
            && let Err(error) = renew_at_once(&self.port, &*clock, &warn).await
        {
            self.port.membership().lose(id);
            return Err(error);
        }
        self.has_joined = true;
        self.port.set_node(Some(id));
        tracing::info!(node = %id, name = %node.name, store = %self.port.name(), lease = ?lease.length, "joined");
        if self.heartbeats.is_none() {
            self.heartbeats = Some(Heartbeats::start(self.port.clone(), clock, warn));
        }
        Ok(())
    }

    fn warn(&self) -> Warn {
        let engine = self.engine.clone();
        Box::new(move |text| engine.warn(text))
    }

    /// Returns `true` if running attempts may continue: the lease has not run out, or there is no other node to take
    /// anything over. In a store without leases they always may.
    pub(super) fn may_go_on(&self) -> bool {
        let now = Reading::of(self.engine.clock());
        !self.is_known() || self.port.membership().may_go_on(&now)
    }

    /// Renews a lease that may have run out while there was no other node, or that is over only by the store's clock,
    /// which may have been set. Returns `true` if this node keeps it.
    pub(super) async fn is_still_ours(&self) -> bool {
        let clock = self.engine.shared_clock();
        let membership = self.port.membership();
        membership.may_go_on(&Reading::of(&*clock))
            && renew_at_once(&self.port, &*clock, &self.warn())
                .await
                .is_ok()
            && membership.standing(&Reading::of(&*clock)) == Standing::Holds
    }

    /// Gives up the lease of a node after it has run out.
    pub(super) fn lose(&mut self, node: NodeId) {
        self.port.membership().lose(node);
        self.port.set_node(None);
        self.has_joined = false;
    }

    /// Leaves the store, as the last step.
    pub(super) async fn leave(&mut self, node: NodeId) {
        if self.is_held() {
            let leave = tokio::time::timeout(LEAVE_LIMIT, self.port.store().leave(node));
            if !matches!(leave.await, Ok(Ok(()))) {
                tracing::warn!(%node, store = %self.port.name(), "this node could not leave the store; its lease will run out");
            }
            self.port.membership().lose(node);
            self.has_joined = false;
        }
        self.heartbeats = None;
    }
}
