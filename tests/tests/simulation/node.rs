//! One scheduler in its own process: a runtime whose time passes only on request.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Builder, LocalExecutor};
use tokio::runtime::Runtime;

use crate::dice::Dice;
use crate::journal::{Journal, Stage};
use crate::model_store::{Database, ModelStore};
use crate::process::{Millis, Process, ProcessClock};
use crate::trace::What;
use crate::workload::Call;

/// A period in which a process does nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Freeze {
    pub(crate) until: Millis,
    /// If `true`, its monotonic clock stops for that period, as on a suspended machine.
    pub(crate) is_suspend: bool,
}

/// What happens to a node at one of its next statements.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doom {
    Crash,
    Freeze { length: Millis, is_suspend: bool },
}

/// How long a shutdown may take beyond its deadline if the store does not answer: a few last calls.
const STOP_PATIENCE: Millis = 4_000;

pub(crate) struct Node {
    pub(crate) process: Arc<Process>,
    runtime: Runtime,
    scheduler: Arc<Mutex<Option<Scheduler>>>,
    database: Arc<Database>,
    has_stopped: Arc<AtomicBool>,
    /// The true time that the node has reached.
    pub(crate) now: Millis,
    pub(crate) freeze: Option<Freeze>,
    pub(crate) doom: Option<(u32, Doom)>,
    /// The instant by which a requested shutdown should be complete.
    pub(crate) stops_by: Option<Millis>,
}

impl Node {
    pub(crate) fn start(
        ordinal: u32,
        (now, clock_error): (Millis, Millis),
        is_real: bool,
        dice: &mut Dice,
        database: &Arc<Database>,
        journal: &Arc<Journal>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let process = {
            let _inside = runtime.enter();
            Process::new(ordinal, now, clock_error, dice.split())
        };
        let scheduler: Arc<Mutex<Option<Scheduler>>> = Arc::default();
        let stage = Arc::new(Stage {
            process: process.clone(),
            database: database.clone(),
            journal: journal.clone(),
        });
        let identity = dice.next();
        let builder = {
            let (process, database) = (process.clone(), database.clone());
            move || builder(&process, &database, &stage, (identity, is_real))
        };
        let (slot, trace) = (scheduler.clone(), database.clone());
        let starting = process.clone();
        runtime.spawn(async move {
            loop {
                let started = builder().start().await;
                let what = What::Started(started.is_ok());
                trace.trace.note(starting.now(), Some(ordinal), what);
                match started {
                    Ok(scheduler) => {
                        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(scheduler);
                        return;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
                }
            }
        });
        Self {
            process,
            runtime,
            scheduler,
            database: database.clone(),
            has_stopped: Arc::default(),
            now,
            freeze: None,
            doom: None,
            stops_by: None,
        }
    }

    pub(crate) fn scheduler(&self) -> Option<Scheduler> {
        let slot = self.scheduler.lock();
        slot.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.has_stopped.load(Ordering::Relaxed)
    }

    /// Lets time pass until then, or until a call arrives at a gate.
    pub(crate) fn run(&mut self, until: Millis) {
        let process = &self.process;
        self.now = self.runtime.block_on(async {
            let mut end = pin!(tokio::time::sleep_until(process.instant_at(until)));
            poll_fn(|cx| {
                if process.take_arrived(cx.waker()) {
                    return Poll::Ready(());
                }
                end.as_mut().poll(cx)
            })
            .await;
            process.now()
        });
    }

    /// Opens the gate for one waiting call, which proceeds as far as it can without time passing.
    pub(crate) fn open(&mut self, index: usize) {
        self.process.open(index);
        if self.process.waiting() > 0 {
            self.runtime.block_on(async {
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    /// Resumes after a freeze.
    pub(crate) fn thaw(&mut self, freeze: Freeze, now: Millis) {
        let gap = now - self.now;
        let process = &self.process;
        let before = self.runtime.block_on(async { process.monotonic() });
        if freeze.is_suspend {
            process.slept_through(gap);
            process.state().frozen.push((before, before));
        } else {
            process.state().frozen.push((before, before + gap));
            let gap = Duration::from_millis(gap.unsigned_abs());
            self.runtime.block_on(tokio::time::advance(gap));
        }
        self.now = now;
    }

    /// Makes a call to the scheduler after a delay.
    pub(crate) fn ask(&self, call: Call, after: Millis) {
        let Some(scheduler) = self.scheduler() else {
            return;
        };
        let (process, database) = (self.process.clone(), self.database.clone());
        self.runtime.spawn(async move {
            let name = call.name();
            tokio::time::sleep(Duration::from_millis(after.unsigned_abs())).await;
            let text = call.make(scheduler).await;
            let what = What::Answer { call: name, text };
            database
                .trace
                .note(process.now(), Some(process.ordinal), what);
        });
    }

    /// Returns `true` if the node should have stopped by now, with an allowance for a store that does not answer.
    pub(crate) fn is_overdue(&self, now: Millis) -> bool {
        let was_frozen = || self.freeze.is_some() || !self.process.state().frozen.is_empty();
        let by = self.stops_by.map(|by| by.saturating_add(STOP_PATIENCE));
        by.is_some_and(|by| by < now) && !self.has_stopped() && !was_frozen()
    }

    pub(crate) fn shut_down(&mut self, limit: Millis) {
        let Some(scheduler) = self.scheduler() else {
            return;
        };
        self.stops_by = Some(self.now + limit);
        let has_stopped = self.has_stopped.clone();
        let how = Shutdown::wait_up_to(Duration::from_millis(limit.unsigned_abs()));
        self.runtime.spawn(async move {
            scheduler.shutdown(how).await;
            has_stopped.store(true, Ordering::Relaxed);
        });
    }

    /// Ends the process: everything that it does is cut off at this instant.
    pub(crate) fn end(self) {
        self.process.end(self.now);
        self.database.tables().wakes.remove(&self.process.ordinal);
        let noted = self.database.trace.len();
        drop(self.scheduler);
        drop(self.runtime);
        self.database.trace.sort_from(noted);
    }
}

fn builder(
    process: &Arc<Process>,
    database: &Arc<Database>,
    stage: &Arc<Stage>,
    (identity, is_real): (u64, bool),
) -> Builder {
    Scheduler::builder()
        .store(ModelStore {
            database: database.clone(),
            process: process.clone(),
        })
        .clock(ProcessClock {
            process: process.clone(),
            is_real,
        })
        .shared_data(stage.clone())
        .executor("narrow", LocalExecutor::with_limit(2))
        .event_capacity(16)
        .without_static_jobs()
        .node_name(format!("process-{}", process.ordinal))
        .identity_seed(identity)
}
