//! Looks up the task and the executor of a run by name. The last result is cached, since most runs that start
//! together share it.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::engine::Engine;
use crate::executor::{Destination, ReportSink};
use crate::policy::Policies;
use crate::store::ClaimedRun;
use crate::store_clock::StoreClock;
use crate::task::definition::TaskDefinition;

/// See the module documentation.
pub(super) struct TaskLookup {
    /// The clock of the store that the runs belong to.
    clock: Arc<StoreClock>,
    sink: ReportSink,
    /// The last task, with the name by which it was looked up.
    task: Option<(Arc<str>, &'static TaskDefinition)>,
    /// The last destination, with the policies by which it was looked up.
    destination: Option<(Arc<Policies>, Arc<Destination>)>,
}

impl TaskLookup {
    pub(super) fn new(clock: Arc<StoreClock>, sink: ReportSink) -> Self {
        Self {
            clock,
            sink,
            task: None,
            destination: None,
        }
    }

    /// Returns the task and the destination of a run, or `None` if this process lacks one of them.
    pub(super) fn of(
        &mut self,
        run: &ClaimedRun,
        engine: &Engine,
    ) -> Option<(&'static TaskDefinition, &Arc<Destination>)> {
        let is_known = |(name, _): &(Arc<str>, _)| Arc::ptr_eq(name, &run.task);
        if !self.task.as_ref().is_some_and(is_known) {
            let task = engine.registry().task(&run.task)?;
            self.task = Some((run.task.clone(), task));
        }
        let is_known = |(policies, _): &(Arc<Policies>, _)| Arc::ptr_eq(policies, &run.policies);
        if !self.destination.as_ref().is_some_and(is_known) {
            let destination = Arc::new(Destination {
                executor: engine.executor(&run.policies.executor)?.clone(),
                clock: self.clock.clone(),
                sink: self.sink.clone(),
                redaction: engine.redaction.clone(),
                runtime: Handle::current(),
            });
            self.destination = Some((run.policies.clone(), destination));
        }
        let (_, task) = self.task.as_ref()?;
        let (_, destination) = self.destination.as_ref()?;
        Some((task, destination))
    }
}
