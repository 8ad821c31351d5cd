//! The driver of one store: it sleeps until a job is due, claims runs, hands them to the executors and records how
//! they end. [`runs`] decides what happens to the runs of this node.

mod capacity_guard;
mod clock_watch;
mod duties;
mod elapsed;
mod heartbeat;
mod lease;
mod outage;
mod publish;
mod run_loop;
mod runs;
mod stop;
mod task_lookup;
mod upkeep;

use std::sync::Arc;

use crate::clock::Reading;
use crate::engine::Engine;
use crate::engine::port::StorePort;
use clock_watch::ClockWatch;
use lease::Lease;
use outage::Outage;
use runs::Runs;
use task_lookup::TaskLookup;
use upkeep::Upkeep;

/// See the module documentation.
pub(crate) struct Driver {
    engine: Arc<Engine>,
    port: Arc<StorePort>,
    lease: Lease,
    runs: Runs,
    task_lookup: TaskLookup,
    clock_watch: ClockWatch,
    outage: Outage,
    /// The work besides claiming.
    upkeep: Upkeep,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.port.abandon();
    }
}
