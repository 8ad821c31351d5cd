//! A memory store with nodes, for tests of leases without a database. A lease runs out when the test says so,
//! regardless of the clocks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::plan::{LeftRun, TakeOver, Verdict, take_over};
use scheduler_core::store::{
    AttemptEnd, CancelledRun, ClaimRequest, Claimed, End, Finished, Heartbeat, History, Intercept,
    Intercepted, JobAnswer, Lease, ManualRequest, ManualRun, NewNode, RunRef, Store, StoreError,
    StoreFuture, TakenOver, Wake,
};
use scheduler_core::{MemoryStore, Node, NodeId, RunId, RunState};

/// The lease that every node gets.
pub(crate) const LEASE: Lease = Lease {
    length: Duration::from_secs(15),
    heartbeat_every: Duration::from_secs(5),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Alive,
    /// Its lease is over, but a heartbeat renews it unless its runs are taken over first.
    Lapsed,
    RanOut,
    Gone,
}

/// The nodes of a memory store. A clone is another handle on the same jobs and nodes.
#[derive(Debug, Clone)]
pub(crate) struct Leased {
    memory: MemoryStore,
    nodes: Arc<Mutex<BTreeMap<NodeId, (Node, State)>>>,
    /// `true` if writers lock each other out, so that a node may check if it is the only one.
    has_one_writer: bool,
}

impl Leased {
    pub(crate) fn new() -> Self {
        Self {
            memory: MemoryStore::new(),
            nodes: Arc::default(),
            has_one_writer: false,
        }
    }

    pub(crate) fn with_one_writer() -> Self {
        Self {
            has_one_writer: true,
            ..Self::new()
        }
    }

    /// Returns the store with these nodes.
    pub(crate) fn store(&self) -> Intercepted<Self> {
        Intercepted::new(Arc::new(self.memory.clone()), self.clone())
    }

    /// Lets the lease of a node run out.
    pub(crate) fn run_out(&self, node: NodeId) {
        if let Some((_, state)) = self.nodes.lock().unwrap().get_mut(&node) {
            *state = State::RanOut;
        }
    }

    #[allow(
        dead_code,
        reason = "of the tests that share this module, some have no use for it"
    )]
    /// Ends the lease of a node that can still renew it.
    pub(crate) fn lapse(&self, node: NodeId) {
        if let Some((_, state)) = self.nodes.lock().unwrap().get_mut(&node) {
            *state = State::Lapsed;
        }
    }

    fn state(&self, node: NodeId) -> State {
        let nodes = self.nodes.lock().unwrap();
        nodes.get(&node).map_or(State::Gone, |(_, state)| *state)
    }

    fn set_gone(&self, node: NodeId) {
        if let Some((_, state)) = self.nodes.lock().unwrap().get_mut(&node) {
            *state = State::Gone;
        }
    }

    fn ran_out(&self) -> Vec<NodeId> {
        let nodes = self.nodes.lock().unwrap();
        let ran_out = nodes
            .iter()
            .filter(|(_, (_, state))| matches!(state, State::RanOut | State::Lapsed));
        ran_out.map(|(id, _)| *id).collect()
    }

    fn if_alive<'a, T: Send + 'a>(
        &self,
        node: NodeId,
        call: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        if self.state(node) == State::Alive {
            call()
        } else {
            Box::pin(std::future::ready(Err(StoreError::fenced())))
        }
    }

    /// Takes over one run, as if its node had reported how it ended.
    async fn take(
        &self,
        node: NodeId,
        id: RunId,
        now: DateTime<Utc>,
        taken: &mut TakenOver,
    ) -> Result<(), StoreError> {
        let run = self.memory.get_run(id).await?.unwrap();
        let end = |end| Finished::new(id, run.attempt, end);
        let job = self.memory.get_job(run.job_id.as_str()).await?;
        let earlier = run.earlier_attempts.iter();
        let lost = earlier.filter(|one| one.state == RunState::Lost).count();
        let at_most_once = job.as_ref().map(|job| job.policies.at_most_once);
        let asked = self.memory.list_cancellations(node).await?.contains(&id);
        let place = RunRef::new(run.job_id.clone(), id);
        let mut left = LeftRun::new(run.state, u32::try_from(lost).unwrap(), at_most_once);
        left.is_cancellation_requested = asked;
        let verdict = match take_over(left) {
            TakeOver::Free => {
                self.memory.finish(node, vec![end(End::Body)]).await?;
                return Ok(());
            }
            TakeOver::Cancelled => {
                taken.cancelled.push(CancelledRun::of(&run));
                Verdict::Final(RunState::Cancelled)
            }
            TakeOver::Again => {
                taken.again.push(place);
                Verdict::Retry(Duration::ZERO)
            }
            TakeOver::Lost => {
                taken.lost.push(place);
                Verdict::Final(RunState::Lost)
            }
        };
        let started_at = run.started_at.unwrap();
        let mut lost = AttemptEnd::new(verdict, RunState::Lost, started_at, now);
        lost.error = Some("lost with its node".into());
        let end = end(End::Attempt(lost));
        self.memory.finish(node, vec![end]).await?;
        self.memory.release(node, vec![id], now).await?;
        Ok(())
    }
}

impl Intercept for Leased {
    fn claim<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Claimed> {
        self.if_alive(request.node, || store.claim(request))
    }

    fn finish<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
        finished: Vec<Finished>,
    ) -> StoreFuture<'a, Vec<bool>> {
        self.if_alive(node, || store.finish(node, finished))
    }

    fn run_now<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        match request.holder {
            Some(node) => self.if_alive(node, || store.run_now(request)),
            None => store.run_now(request),
        }
    }

    fn has_cluster(&self, _store: &dyn Store) -> bool {
        true
    }

    fn join<'a>(&'a self, _store: &'a dyn Store, node: &'a NewNode) -> StoreFuture<'a, Lease> {
        let entry = (Node::new(node.clone(), DateTime::UNIX_EPOCH), State::Alive);
        self.nodes.lock().unwrap().entry(node.id).or_insert(entry);
        Box::pin(std::future::ready(Ok(LEASE)))
    }

    fn heartbeat<'a>(&'a self, store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, Heartbeat> {
        Box::pin(async move {
            if let Some((_, state)) = self.nodes.lock().unwrap().get_mut(&node)
                && *state == State::Lapsed
            {
                *state = State::Alive;
            }
            let mut has_lost = false;
            for gone in self.ran_out() {
                has_lost |= !store.list_held(gone).await?.is_empty();
            }
            Ok(Heartbeat {
                is_alive: self.state(node) == State::Alive,
                store_time: None,
                has_lost,
                needs_repair: false,
            })
        })
    }

    fn is_only_node<'a>(&'a self, _store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, bool> {
        let nodes = self.nodes.lock().unwrap();
        let mut present = nodes.iter().filter(|(_, (_, state))| *state != State::Gone);
        let is_only = present.next().is_some_and(|(id, _)| *id == node) && present.next().is_none();
        Box::pin(std::future::ready(Ok(self.has_one_writer && is_only)))
    }

    fn leave<'a>(&'a self, store: &'a dyn Store, node: NodeId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if store.list_held(node).await?.is_empty() {
                self.set_gone(node);
            }
            Ok(())
        })
    }

    fn take_over<'a>(
        &'a self,
        store: &'a dyn Store,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, TakenOver> {
        Box::pin(async move {
            let mut taken = TakenOver::default();
            for gone in self.ran_out() {
                for run in store.list_held(gone).await? {
                    self.take(gone, run, now, &mut taken).await?;
                }
                self.set_gone(gone);
            }
            Ok(taken)
        })
    }

    fn list_nodes<'a>(&'a self, store: &'a dyn Store) -> StoreFuture<'a, Vec<Node>> {
        Box::pin(async move {
            let entries: Vec<_> = self.nodes.lock().unwrap().values().cloned().collect();
            let mut nodes = Vec::new();
            for (mut node, state) in entries {
                node.is_alive = state == State::Alive;
                node.running = store.list_held(node.id).await?.len() as u64;
                nodes.push(node);
            }
            nodes.sort_by_key(|node| !node.is_alive);
            Ok(nodes)
        })
    }

    fn subscribe(&self, _store: &dyn Store, _wake: Wake) {}
}
