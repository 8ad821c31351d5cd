//! Tasks of the runtime that carry out attempts, each one at a time. One that has reported the end of
//! its attempt is used again, so that a fire costs a wake-up and not a task.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::attempt::Attempt;
use super::{Assignment, Executor, Reporter};
use crate::cancel::Cancellation;
use crate::id::RunId;
use crate::lock::lock;

/// Carries out async tasks on the runtime.
#[derive(Debug)]
pub(super) struct TaskPool {
    limit: usize,
    idle: Arc<Mutex<Idle>>,
}

/// The tasks that have nothing to do at present.
#[derive(Debug, Default)]
struct Idle {
    tasks: Vec<IdleTask>,
    /// How many have had nothing to do since the last trim.
    unused: usize,
    /// The pool is gone: whoever ends an attempt ends as well.
    is_closed: bool,
}

impl TaskPool {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            idle: Arc::default(),
        }
    }
}

impl Idle {
    fn take(&mut self) -> Option<IdleTask> {
        let task = self.tasks.pop()?;
        self.unused = self.unused.min(self.tasks.len());
        Some(task)
    }

    /// Takes out the tasks that nobody needed since this was called last: a burst may have made many.
    fn trim(&mut self) -> Vec<IdleTask> {
        let unused = self.tasks.drain(..self.unused).collect();
        self.unused = self.tasks.len();
        unused
    }
}

impl Executor for TaskPool {
    fn capacity(&self) -> usize {
        self.limit
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        let idle = lock(&self.idle).take();
        if let Some(idle) = idle {
            idle.go_on(assignment, reporter);
        } else if let Some(runtime) = reporter.runtime().cloned() {
            runtime.spawn(Work {
                shared: Arc::default(),
                pool: self.idle.clone(),
                attempt: Some(Attempt::new(assignment, reporter)),
            });
        }
    }

    /// Does nothing: the attempt waits for the flag that its run shares with the driver.
    fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}

    fn enforces_timeouts(&self) -> bool {
        true
    }

    fn trim(&self) {
        // Dropped when it is unlocked: each drop wakes a task.
        let unused = lock(&self.idle).trim();
        drop(unused);
    }
}

impl Drop for TaskPool {
    fn drop(&mut self) {
        let mut idle = lock(&self.idle);
        idle.is_closed = true;
        let tasks = std::mem::take(&mut idle.tasks);
        drop(idle);
        drop(tasks);
    }
}

/// A task of the pool without an attempt. It ends when this is dropped.
#[derive(Debug)]
struct IdleTask(Option<Arc<Shared>>);

impl IdleTask {
    fn go_on(mut self, assignment: Assignment, reporter: Reporter) {
        if let Some(shared) = self.0.take() {
            shared.wake(|state| state.next = Some((assignment, reporter)));
        }
    }
}

impl Drop for IdleTask {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.wake(|state| state.is_over = true);
        }
    }
}

/// What the task and its holder share.
#[derive(Debug, Default)]
struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: Option<(Assignment, Reporter)>,
    is_over: bool,
    /// `None` as long as the task has never waited: it looks once more before it does.
    waker: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// The task that is woken locks this at once, on another thread: not while it is locked here.
    fn wake(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The task itself.
struct Work {
    shared: Arc<Shared>,
    pool: Arc<Mutex<Idle>>,
    attempt: Option<Attempt>,
}

/// Offers a task for the next attempt.
fn be_idle(shared: &Arc<Shared>, pool: &Mutex<Idle>) {
    let idle = IdleTask(Some(shared.clone()));
    let mut pool = lock(pool);
    if pool.is_closed {
        drop(pool);
        drop(idle);
    } else {
        pool.tasks.push(idle);
    }
}

impl Future for Work {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut has_ended = false;
        loop {
            if let Some(attempt) = &mut this.attempt {
                let Poll::Ready((started_at, outcome)) = attempt.poll(cx) else {
                    return Poll::Pending;
                };
                // Before the report, on which the driver may hand over the next attempt.
                be_idle(&this.shared, &this.pool);
                attempt.report(started_at, outcome);
                this.attempt = None;
                has_ended = true;
            }
            let mut state = this.shared.lock();
            if let Some((assignment, reporter)) = state.next.take() {
                drop(state);
                this.attempt = Some(Attempt::new(assignment, reporter));
                if has_ended {
                    // Not in the same turn: others have theirs first, as beside any other task.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                continue;
            }
            if state.is_over {
                return Poll::Ready(());
            }
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => state.waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pooled_task_ends_when_nobody_holds_it() {
        let pool = TaskPool::new(1);
        let shared = Arc::new(Shared::default());
        let work = tokio::spawn(Work {
            shared: shared.clone(),
            pool: pool.idle.clone(),
            attempt: None,
        });
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        lock(&pool.idle).tasks.push(IdleTask(Some(shared)));
        pool.trim(); // it may just have come back
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        pool.trim();
        work.await.unwrap();
    }

    #[tokio::test]
    async fn pooled_tasks_end_with_their_pool() {
        let pool = TaskPool::new(1);
        let work = Work {
            shared: Arc::default(),
            pool: pool.idle.clone(),
            attempt: None,
        };
        let late = Work {
            shared: Arc::default(),
            pool: pool.idle.clone(),
            attempt: None,
        };
        be_idle(&work.shared, &work.pool);
        drop(pool);
        be_idle(&late.shared, &late.pool);
        work.await;
        late.await;
    }
}
