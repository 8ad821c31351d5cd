//! Joining a store as a node, and what happens when the lease runs out: this node stops what it runs,
//! since others may run it by now, and comes back under a new identity.

use std::time::Duration;

use tokio::sync::watch;

use super::Driver;
use super::heartbeat::{Heartbeats, Warn, renew_at_once};
use super::stop::patience;
use crate::cancel::Cancellation;
use crate::clock::{Reading, sleep};
use crate::engine::order::Order;
use crate::engine::standing::Standing;
use crate::event::EventKind;
use crate::executor::Report;
use crate::store::{NewNode, StoreError};

/// How long a node waits for the store to take it in.
const JOIN_LIMIT: Duration = Duration::from_secs(10);

impl Driver {
    /// One step, given up as soon as the lease runs out: a store that does not answer must not keep
    /// this node from stopping what it runs.
    pub(super) async fn step_within_lease(&mut self) -> Step {
        let mut order = self.port.orders();
        if self.heartbeats.is_none() {
            let result = tokio::select! {
                biased;
                result = self.step() => result,
                () = out_of_patience(&mut order) => Err(no_answer()),
            };
            return result.map_or_else(Step::Failed, Step::Done);
        }
        if !self.has_joined {
            // There is no lease yet that could run out.
            let joined = tokio::select! {
                biased;
                joined = self.join_in_time() => joined,
                () = out_of_patience(&mut order) => Err(no_answer()),
            };
            if let Err(error) = joined {
                return Step::Failed(error);
            }
        }
        let (port, engine) = (self.port.clone(), self.engine.clone());
        let (result, has_answered) = tokio::select! {
            biased;
            result = self.step() => (result, true),
            () = port.membership().expired(engine.clock()) => (Err(StoreError::fenced()), false),
            // The heartbeats may well get through meanwhile: then nobody else would notice.
            () = sleep(port.membership().patience()) => (Err(no_answer()), false),
            () = out_of_patience(&mut order) => (Err(no_answer()), false),
        };
        let is_refused = matches!(&result, Err(error) if error.is_fenced());
        if self.has_joined && (is_refused || !self.may_go_on()) {
            if self.is_still_ours().await {
                return Step::Fenced { has_answered: true };
            }
            self.fence();
            return Step::Fenced { has_answered };
        }
        result.map_or_else(Step::Failed, Step::Done)
    }

    pub(super) async fn lease_expired(&self) {
        if self.has_joined && self.heartbeats.is_some() {
            self.port.membership().expired(self.engine.clock()).await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    /// Joins before the first step, so that runs can be asked for as soon as the scheduler is there.
    pub(crate) async fn joined(mut self) -> Result<Self, StoreError> {
        self.join_in_time().await?;
        Ok(self)
    }

    async fn join_in_time(&mut self) -> Result<(), StoreError> {
        let joined = tokio::time::timeout(JOIN_LIMIT, self.keep_membership()).await;
        joined.unwrap_or_else(|_| Err(StoreError::unreachable("no answer when this node joined")))
    }

    /// Joins the store, when this node is none of its nodes.
    pub(super) async fn keep_membership(&mut self) -> Result<(), StoreError> {
        if self.has_joined {
            let holds = self.heartbeats.is_none()
                || self.port.membership().confirmed(self.engine.clock()).await;
            return if holds || self.is_still_ours().await {
                Ok(())
            } else if self.may_go_on() {
                Err(StoreError::new("the lease of this node cannot be renewed"))
            } else {
                Err(StoreError::fenced())
            };
        }
        let node = NewNode {
            id: self.node,
            name: self.engine.node_name.clone(),
            version: self.engine.node_version().clone(),
        };
        let warn = self.warn();
        let clock = self.engine.shared_clock();
        let sent = Reading::of(&*clock);
        let Some(lease) = self.port.store().join(&node).await? else {
            self.has_joined = true;
            self.port.set_node(Some(self.node));
            return Ok(());
        };
        self.port.membership().hold(self.node, lease, sent);
        if clock.is_real()
            && let Err(error) = renew_at_once(&self.port, &*clock, &warn).await
        {
            self.port.membership().lose(self.node);
            return Err(error);
        }
        self.has_joined = true;
        self.port.set_node(Some(self.node));
        tracing::info!(node = %self.node, name = %node.name, store = %self.port.name(), lease = ?lease.length, "joined");
        if self.heartbeats.is_none() {
            self.heartbeats = Some(Heartbeats::start(self.port.clone(), clock, warn));
        }
        Ok(())
    }

    fn warn(&self) -> Warn {
        let engine = self.engine.clone();
        Box::new(move |text| engine.warn(text))
    }

    /// Whether what runs may go on: the lease has not run out, or no other node is there to take anything
    /// over. Without a lease, where the store knows none, it may.
    pub(super) fn may_go_on(&self) -> bool {
        let now = Reading::of(self.engine.clock());
        self.heartbeats.is_none() || self.port.membership().may_go_on(&now)
    }

    /// Renews a lease that could have run out while no other node was there, or that is over only by the
    /// store's clock, which may have been set. Returns whether it goes on.
    pub(super) async fn is_still_ours(&self) -> bool {
        let clock = self.engine.shared_clock();
        let membership = self.port.membership();
        membership.may_go_on(&Reading::of(&*clock))
            && renew_at_once(&self.port, &*clock, &self.warn())
                .await
                .is_ok()
            && membership.standing(&Reading::of(&*clock)) == Standing::Holds
    }

    /// Stops everything that was held under the identity that is lost.
    pub(super) fn fence(&mut self) {
        let lost = self.node;
        tracing::error!(node = %lost, store = %self.port.name(), running = self.live.len(), "the lease ran out: what runs is stopped");
        self.engine.warn(format!(
            "the lease of this node in store `{}` ran out: {} run(s) were stopped",
            self.port.name(),
            self.live.len()
        ));
        self.port.membership().lose(lost);
        self.port.set_node(None);
        self.take_inbox();
        self.count_fenced();
        for context in std::mem::take(&mut self.live).in_order() {
            self.engine.cancel(context, Cancellation::Forced);
            self.fenced.insert(context.fencing_token(), context.clone());
        }
        self.asked.clear();
        self.unreleased.clear();
        drop(self.backlog.take_all());
        self.backlog.after_body.clear();
        for report in self.unwritten.take() {
            self.leave_fenced(&report);
        }
        self.is_unconfirmed = false;
        self.has_joined = false;
        self.node = self.engine.new_identity();
        let store = self.port.name().clone();
        self.engine
            .publish(|| EventKind::LeaseLost { store, node: lost });
    }

    /// Leaves out reports of runs that were held under an identity that is lost.
    pub(super) fn without_fenced(&mut self, mut reports: Vec<Report>) -> Vec<Report> {
        if !self.fenced.is_empty() {
            let fenced = reports.extract_if(.., |report| {
                let key = report.run.fencing_token();
                self.fenced.contains_key(&key)
            });
            for report in fenced.collect::<Vec<_>>() {
                self.leave_fenced(&report);
            }
        }
        reports
    }

    /// Tells that a report came too late, which may be the last of its run.
    fn leave_fenced(&mut self, report: &Report) {
        if !report.body_goes_on() {
            self.fenced.remove(&report.run.fencing_token());
        }
        self.publish_late(report);
    }

    /// Leaves the store, last of all.
    pub(super) async fn leave(&mut self) {
        if self.heartbeats.is_some() && self.has_joined {
            let leave =
                tokio::time::timeout(super::stop::LAST_CALL, self.port.store().leave(self.node));
            if !matches!(leave.await, Ok(Ok(()))) {
                tracing::warn!(node = %self.node, store = %self.port.name(), "the store was not told that this node has ended; its lease will run out");
            }
            self.port.membership().lose(self.node);
            self.has_joined = false;
        }
        self.heartbeats = None;
    }
}

/// Ends some time after an order to stop has come: it is not to be held up by a store that does not
/// answer.
async fn out_of_patience(order: &mut watch::Receiver<Option<Order>>) {
    let left = match order.wait_for(Option::is_some).await {
        Ok(order) => order.as_ref().and_then(Order::left),
        Err(_) => None,
    };
    sleep(patience(left)).await;
}

fn no_answer() -> StoreError {
    StoreError::unreachable("no answer")
}

/// How a step went.
pub(super) enum Step {
    /// There is nothing to do for so long.
    Done(Duration),
    /// The lease had run out, or could have, and the next step joins again or goes on with a lease that was
    /// renewed. Whether the store itself said so.
    Fenced { has_answered: bool },
    /// The store failed.
    Failed(StoreError),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;

    use super::*;
    use crate::engine::port::StorePort;
    use crate::executor::ReportEvent;
    use crate::run::AttemptOutcome;
    use crate::scheduler::Scheduler;
    use crate::store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn a_run_that_has_reported_is_not_kept_when_the_lease_runs_out() {
        let builder = Scheduler::builder().client().without_static_jobs();
        let scheduler = builder.start().await.unwrap();
        let (store, clock) = (Arc::new(MemoryStore::new()), scheduler.0.shared_clock());
        let port = StorePort::new("default".into(), store, clock);
        let mut driver = Driver::new(scheduler.0, port);
        let context = crate::testing::context("job").unwrap();
        driver.live.insert(context.0.clone());
        let event = ReportEvent::ended(&context.0, AttemptOutcome::Cancelled(None), false);
        driver.unwritten.add(vec![Report {
            run: context.0.clone(),
            started_at: DateTime::UNIX_EPOCH,
            finished_at: DateTime::UNIX_EPOCH,
            event,
        }]);
        driver.fence();
        assert!(driver.fenced.is_empty());
        assert_eq!(Arc::strong_count(&context.0), 1);
    }
}
