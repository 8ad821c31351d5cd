//! Tasks of the runtime that carry out attempts, each one at a time. One that has reported the end of
//! its attempt is used again, so that a fire costs a wake-up and not a task.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::attempt::Attempt;
use super::{Assignment, LocalExecutor, trace};
use crate::lock::lock;

/// The tasks that have nothing to do at present.
#[derive(Debug, Default)]
pub(crate) struct TaskPool {
    idle: Vec<IdleTask>,
    /// How many have had nothing to do since the last trim.
    unused: usize,
}

impl TaskPool {
    /// Carries an attempt out on a task that is idle, or else on a new one.
    pub(super) fn carry_out(&mut self, executor: &LocalExecutor, assignment: Assignment) {
        if let Some(idle) = self.idle.pop() {
            self.unused = self.unused.min(self.idle.len());
            idle.go_on(assignment);
        } else {
            executor.runtime.spawn(Work {
                shared: Arc::default(),
                attempt: Some(Attempt::new(assignment)),
            });
        }
    }

    /// Takes a task back that has reported an end.
    pub(crate) fn put_back(&mut self, idle: IdleTask) {
        self.idle.push(idle);
    }

    /// Ends the tasks that nobody needed since this was called last: a burst may have made many.
    pub(crate) fn trim(&mut self) {
        self.idle.drain(..self.unused);
        self.unused = self.idle.len();
    }
}

/// A task of the pool without an attempt. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct IdleTask(Option<Arc<Shared>>);

impl IdleTask {
    fn go_on(mut self, assignment: Assignment) {
        if let Some(shared) = self.0.take() {
            shared.wake(|state| state.next = Some(assignment));
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
    next: Option<Assignment>,
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
    attempt: Option<Attempt>,
}

impl Future for Work {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let has_ended = this.attempt.is_some();
        if let Some(attempt) = &mut this.attempt {
            let Poll::Ready(end) = attempt.poll(cx) else {
                return Poll::Pending;
            };
            if let Some(Attempt { assignment, .. }) = this.attempt.take() {
                let Assignment { context, span, .. } = assignment;
                // Before the task is handed on: a subscriber that panics would take another run with it.
                trace::ended(span, &context.0.run, &end.event, end.times);
                let idle = IdleTask(Some(this.shared.clone()));
                context.end(end.times, end.event, Some(idle));
            }
        }
        let mut state = this.shared.lock();
        if let Some(assignment) = state.next.take() {
            drop(state);
            this.attempt = Some(Attempt::new(assignment));
            if !has_ended {
                return Pin::new(this).poll(cx);
            }
            // Not in the same turn: others have theirs first, as beside any other task.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if state.is_over {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a task reports with, without a driver: its end is seen by the count.
    #[tokio::test]
    async fn pooled_task_ends_when_nobody_holds_it() {
        let shared = Arc::new(Shared::default());
        let work = tokio::spawn(Work {
            shared: shared.clone(),
            attempt: None,
        });
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        let mut pool = TaskPool::default();
        pool.put_back(IdleTask(Some(shared)));
        pool.trim(); // it may just have come back
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        pool.trim();
        work.await.unwrap();
    }
}
