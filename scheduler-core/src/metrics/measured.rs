//! A store whose calls are measured.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::recorded::store_answered;
use crate::clock::monotonic_now;
use crate::dropped::Dropped;
use crate::id::RunId;
use crate::job_record::JobRecord;
use crate::node::{Beat, Lease, NewNode, Node, NodeId};
use crate::reconcile::{Reconciled, StaticJob};
use crate::run::{Run, RunFilter};
use crate::store::{
    CancelAnswer, Claim, ClaimRequest, Edit, Edited, Finished, Inserted, JobQuery, ManualRequest,
    ManualRun, Mended, NewJob, Store, StoreFuture, TakenOver, Wake,
};

/// Hands every call on: those with a default too, which would otherwise stand in for the store's own.
#[derive(Debug)]
pub(super) struct Measured {
    name: Arc<str>,
    store: Arc<dyn Store>,
}

impl Measured {
    pub(super) fn new(name: Arc<str>, store: Arc<dyn Store>) -> Self {
        Self { name, store }
    }

    fn call<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        ask: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let asked = monotonic_now();
            let answer = ask().await;
            store_answered(&self.name, operation, asked.elapsed(), answer.is_ok());
            answer
        })
    }
}

impl Store for Measured {
    fn is_persistent(&self) -> bool {
        self.store.is_persistent()
    }

    fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
        self.call("insert", move || self.store.insert(jobs, now))
    }

    fn reconcile(
        &self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'_, Vec<Reconciled>> {
        self.call("reconcile", move || self.store.reconcile(jobs, now))
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
        self.call("get", move || self.store.get(id))
    }

    fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
        self.call("list", move || self.store.list(query))
    }

    fn edit<'a>(
        &'a self,
        id: &'a str,
        edit: Edit<'a>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Option<Edited>> {
        self.call("edit", move || self.store.edit(id, edit, now))
    }

    fn remove<'a>(&'a self, id: &'a str, now: DateTime<Utc>) -> StoreFuture<'a, Option<Edited>> {
        self.call("remove", move || self.store.remove(id, now))
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim> {
        self.call("claim", move || self.store.claim(request))
    }

    fn next_due<'a>(
        &'a self,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
        self.call("next_due", move || self.store.next_due(request))
    }

    fn run_now<'a>(&'a self, request: &'a ManualRequest<'a>) -> StoreFuture<'a, Option<ManualRun>> {
        self.call("run_now", move || self.store.run_now(request))
    }

    fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
        self.call("cancel", move || self.store.cancel(run, now))
    }

    fn asked_to_stop(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call("asked_to_stop", move || self.store.asked_to_stop(node))
    }

    fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
        self.call("finish", move || self.store.finish(node, finished))
    }

    fn release(&self, node: NodeId, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
        self.call("release", move || self.store.release(node, runs))
    }

    fn held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
        self.call("held", move || self.store.held(node))
    }

    fn mend(&self, now: DateTime<Utc>) -> StoreFuture<'_, Mended> {
        self.call("mend", move || self.store.mend(now))
    }

    fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
        self.call("runs", move || self.store.runs(filter))
    }

    fn run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
        self.call("run", move || self.store.run(id))
    }

    fn dropped<'a>(&'a self, job: Option<&'a str>, limit: usize) -> StoreFuture<'a, Vec<Dropped>> {
        self.call("dropped", move || self.store.dropped(job, limit))
    }

    fn prune(&self, now: DateTime<Utc>) -> StoreFuture<'_, bool> {
        self.call("prune", move || self.store.prune(now))
    }

    fn store_time(&self) -> StoreFuture<'_, Option<DateTime<Utc>>> {
        self.call("store_time", move || self.store.store_time())
    }

    fn join<'a>(&'a self, node: &'a NewNode) -> StoreFuture<'a, Option<Lease>> {
        self.call("join", move || self.store.join(node))
    }

    fn beat(&self, node: NodeId) -> StoreFuture<'_, Beat> {
        self.call("beat", move || self.store.beat(node))
    }

    fn is_only_node(&self, node: NodeId) -> StoreFuture<'_, bool> {
        self.call("is_only_node", move || self.store.is_only_node(node))
    }

    fn leave(&self, node: NodeId) -> StoreFuture<'_, ()> {
        self.call("leave", move || self.store.leave(node))
    }

    fn take_over(&self, now: DateTime<Utc>) -> StoreFuture<'_, TakenOver> {
        self.call("take_over", move || self.store.take_over(now))
    }

    fn nodes(&self) -> StoreFuture<'_, Vec<Node>> {
        self.call("nodes", move || self.store.nodes())
    }

    fn subscribe(&self, wake: Wake) {
        self.store.subscribe(wake);
    }

    fn notice(&self) -> Option<Arc<str>> {
        self.store.notice()
    }

    fn poll_every(&self) -> Duration {
        self.store.poll_every()
    }
}
