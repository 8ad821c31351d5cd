//! Threads for sync tasks, started when needed and ended when idle.
//!
//! They are not tokio's: a runtime waits for its blocking threads when it shuts down, and a stuck
//! task must not hold up the end of the process.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::lock::lock;
use crate::panic::panic_text;

type Work = Box<dyn FnOnce() + Send>;

const IDLE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Work>,
    threads: usize,
    idle: usize,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

pub(super) struct Threads {
    name: Arc<str>,
    limit: usize,
    shared: Arc<Shared>,
}

impl Threads {
    pub(super) fn new(name: &str, limit: usize) -> Self {
        Self {
            name: name.into(),
            limit,
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                ready: Condvar::new(),
            }),
        }
    }

    /// Runs `work` on a thread.
    ///
    /// # Errors
    /// The system gave no thread, and there is none that could take the work.
    pub(super) fn run(&self, work: Work) -> std::io::Result<()> {
        let mut queue = lock(&self.shared.queue);
        queue.waiting.push_back(work);
        if queue.waiting.len() <= queue.idle || queue.threads >= self.limit {
            self.shared.ready.notify_one();
            return Ok(());
        }
        let shared = self.shared.clone();
        let spawned = std::thread::Builder::new()
            .name(format!("job-{}", self.name))
            .spawn(move || serve(&shared));
        match spawned {
            Ok(_) => queue.threads += 1,
            Err(error) if queue.threads == 0 => {
                queue.waiting.pop_back();
                return Err(error);
            }
            // Those that are there will take it.
            Err(_) => {}
        }
        Ok(())
    }
}

fn serve(shared: &Shared) {
    let mut queue = lock(&shared.queue);
    loop {
        if let Some(work) = queue.waiting.pop_front() {
            drop(queue);
            // A body's panic is caught where it is reported; this one is of what it leaves behind.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
                panic_text(payload);
            }
            queue = lock(&shared.queue);
            continue;
        }
        queue.idle += 1;
        let (guard, waited) = shared
            .ready
            .wait_timeout(queue, IDLE)
            .unwrap_or_else(PoisonError::into_inner);
        queue = guard;
        queue.idle -= 1;
        if waited.timed_out() && queue.waiting.is_empty() {
            queue.threads -= 1;
            return;
        }
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = lock(&self.shared.queue);
        f.debug_struct("Threads")
            .field("limit", &self.limit)
            .field("threads", &queue.threads)
            .field("idle", &queue.idle)
            .finish_non_exhaustive()
    }
}
