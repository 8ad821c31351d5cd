//! An executor that carries runs to another process over a pipe, as lines of JSON.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use scheduler_core::{Assignment, Cancellation, Executor, Outcome, Reporter, RunId};
use serde::{Deserialize, Serialize};

/// Starts a worker when there is work and no worker. Attempts of a worker that has ended are reported as lost.
#[derive(Debug)]
pub(crate) struct PipeExecutor {
    capacity: usize,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    worker: Option<Worker>,
    /// How many workers were started.
    started: u64,
    /// Attempts in progress, with the worker that runs each of them.
    attempts: HashMap<Key, (u64, Reporter)>,
    /// The highest number of attempts at the same time.
    most: usize,
}

#[derive(Debug)]
struct Worker {
    child: Child,
    lines: Sender<String>,
}

/// The identity of an attempt on both sides.
type Key = (String, u32);

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Order<'a> {
    Submit(&'a Assignment),
    Cancel {
        run_id: RunId,
        attempt: u32,
        cancellation: Cancellation,
    },
}

#[derive(Deserialize)]
struct Ended {
    run_id: String,
    attempt: u32,
    outcome: Outcome,
}

impl PipeExecutor {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            shared: Arc::default(),
        })
    }

    /// Kills the worker, like the system when it runs out of memory.
    pub(crate) fn kill_worker(&self) {
        if let Some(worker) = &mut self.shared.lock().unwrap().worker {
            worker.child.kill().unwrap();
        }
    }

    /// Drops the worker's attempts, although the worker continues with them.
    pub(crate) fn lose_attempts(&self) -> usize {
        let lost = std::mem::take(&mut self.shared.lock().unwrap().attempts);
        lost.len()
    }

    pub(crate) fn at_work(&self) -> usize {
        self.shared.lock().unwrap().attempts.len()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.lock().unwrap().most
    }

    pub(crate) fn workers_started(&self) -> u64 {
        self.shared.lock().unwrap().started
    }

    fn send(shared: &Shared, order: &Order<'_>) {
        if let Some(worker) = &shared.worker {
            // A worker that has just ended accepts nothing; the thread that reads its output reports its attempts.
            let _ = worker.lines.send(serde_json::to_string(order).unwrap());
        }
    }

    fn start_worker(&self, shared: &mut Shared) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pipe_worker"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        shared.started += 1;
        let (lines, to_write) = channel::<String>();
        let mut input = child.stdin.take().unwrap();
        std::thread::spawn(move || {
            for line in to_write {
                if writeln!(input, "{line}").is_err() {
                    return;
                }
            }
        });
        let output = child.stdout.take().unwrap();
        let (number, shared_by_reader) = (shared.started, self.shared.clone());
        std::thread::spawn(move || read(output, number, &shared_by_reader));
        shared.worker = Some(Worker { child, lines });
    }
}

/// Reports the outcomes of a worker until it ends.
fn read(output: ChildStdout, number: u64, shared: &Mutex<Shared>) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else {
            break;
        };
        let ended: Ended = serde_json::from_str(&line).unwrap();
        let attempt = shared
            .lock()
            .unwrap()
            .attempts
            .remove(&(ended.run_id, ended.attempt));
        if let Some((_, reporter)) = attempt {
            reporter.report(ended.outcome);
        }
    }
    let mut shared = shared.lock().unwrap();
    if shared.started == number
        && let Some(mut worker) = shared.worker.take()
    {
        worker.child.wait().unwrap();
    }
    let lost = shared
        .attempts
        .extract_if(|_, (worker, _)| *worker == number);
    let lost: Vec<_> = lost.collect();
    drop(shared);
    for (_, (_, reporter)) in lost {
        reporter.report(Outcome::failed("the worker was lost"));
    }
}

impl Executor for PipeExecutor {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        let mut shared = self.shared.lock().unwrap();
        if shared.worker.is_none() {
            self.start_worker(&mut shared);
        }
        let key = (assignment.run_id().to_string(), assignment.attempt());
        let worker = shared.started;
        shared.attempts.insert(key, (worker, reporter));
        shared.most = shared.most.max(shared.attempts.len());
        Self::send(&shared, &Order::Submit(&assignment));
    }

    fn cancel(&self, run_id: RunId, attempt: u32, cancellation: Cancellation) {
        let order = Order::Cancel {
            run_id,
            attempt,
            cancellation,
        };
        Self::send(&self.shared.lock().unwrap(), &order);
    }
}

impl Drop for PipeExecutor {
    fn drop(&mut self) {
        // The worker ends when its input ends.
        self.shared.lock().unwrap().worker = None;
    }
}
