//! Tokio tasks that carry out attempts, one at a time each. A task that has reported the end of its attempt is
//! reused, so that a fire time costs a wake-up instead of a new task.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::runtime;

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

/// The tasks that are currently idle.
#[derive(Debug, Default)]
struct Idle {
    /// Usually one: an executor may be shared by schedulers on several runtimes, also one after another.
    runtimes: Vec<IdleOfRuntime>,
    /// If `true`, the pool is gone and a task ends with its attempt.
    is_closed: bool,
}

/// The idle tasks of one runtime. They never receive attempts of another runtime, because they work only while their
/// own runtime exists and is driven, and by its time.
#[derive(Debug)]
struct IdleOfRuntime {
    runtime: runtime::Id,
    tasks: Vec<IdleTask>,
    /// The number of tasks that have been idle since the last trim.
    unused: usize,
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
    fn of(&mut self, runtime: runtime::Id) -> Option<&mut IdleOfRuntime> {
        self.runtimes
            .iter_mut()
            .find(|idle| idle.runtime == runtime)
    }

    fn take(&mut self, runtime: runtime::Id) -> Option<IdleTask> {
        let idle = self.of(runtime)?;
        let task = idle.tasks.pop()?;
        idle.unused = idle.unused.min(idle.tasks.len());
        Some(task)
    }

    fn put(&mut self, runtime: runtime::Id, task: IdleTask) {
        match self.of(runtime) {
            Some(idle) => idle.tasks.push(task),
            None => self.runtimes.push(IdleOfRuntime {
                runtime,
                tasks: vec![task],
                unused: 0,
            }),
        }
    }

    /// Removes the tasks of a runtime.
    fn take_all(&mut self, runtime: runtime::Id) -> Option<IdleOfRuntime> {
        let at = self
            .runtimes
            .iter()
            .position(|idle| idle.runtime == runtime)?;
        Some(self.runtimes.swap_remove(at))
    }

    /// Removes the tasks that were not needed since the last call. A burst may have created many.
    fn trim(&mut self) -> Vec<IdleTask> {
        let mut unused = Vec::new();
        self.runtimes.retain_mut(|idle| {
            unused.extend(idle.tasks.drain(..idle.unused));
            idle.unused = idle.tasks.len();
            !idle.tasks.is_empty()
        });
        unused
    }
}

impl Executor for TaskPool {
    fn capacity(&self) -> usize {
        self.limit
    }

    fn submit(&self, assignment: Assignment, reporter: Reporter) {
        let Some(runtime) = reporter.runtime() else {
            return;
        };
        let id = runtime.id();
        let idle = lock(&self.idle).take(id);
        if let Some(idle) = idle {
            idle.go_on(assignment, reporter);
        } else {
            let runtime = runtime.clone();
            runtime.spawn(Work {
                shared: Shared::on(id),
                pool: self.idle.clone(),
                attempt: Some(Attempt::new(assignment, reporter)),
            });
        }
    }

    /// Does nothing, because the attempt waits for a flag that its run shares with the driver.
    fn cancel(&self, _run: RunId, _attempt: u32, _cancellation: Cancellation) {}

    fn enforces_timeouts(&self) -> bool {
        true
    }

    fn trim(&self) {
        // Dropped after unlocking, because each drop wakes a task.
        let unused = lock(&self.idle).trim();
        drop(unused);
    }
}

impl Drop for TaskPool {
    fn drop(&mut self) {
        let mut idle = lock(&self.idle);
        idle.is_closed = true;
        let runtimes = std::mem::take(&mut idle.runtimes);
        drop(idle);
        drop(runtimes);
    }
}

/// A task of the pool without an attempt. Dropping it ends the task.
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

/// State shared by the task and its holder.
#[derive(Debug)]
struct Shared {
    /// The runtime of the task.
    runtime: runtime::Id,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: Option<(Assignment, Reporter)>,
    is_over: bool,
    /// `None` if the task has never waited: it checks once more before it does.
    waker: Option<Waker>,
}

impl Shared {
    fn on(runtime: runtime::Id) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The woken task locks this at once on another thread, so it must not be locked here at that point.
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

/// Makes a task available for the next attempt.
fn be_idle(shared: &Arc<Shared>, pool: &Mutex<Idle>) {
    let idle = IdleTask(Some(shared.clone()));
    let mut pool = lock(pool);
    if pool.is_closed {
        drop(pool);
        drop(idle);
    } else {
        pool.put(shared.runtime, idle);
    }
}

impl Drop for Work {
    /// The task is dropped before its end, together with its runtime. The idle tasks of that runtime are gone as
    /// well, and tokio may give its id to another runtime.
    fn drop(&mut self) {
        if !self.shared.lock().is_over {
            let gone = lock(&self.pool).take_all(self.shared.runtime);
            drop(gone);
        }
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
                // Before the report, because the driver may hand over the next attempt as soon as it is sent.
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
                    // Not in the same poll, so that other tasks get their turn.
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
    use tokio::runtime::Handle;

    use super::*;

    /// Creates a task of this runtime without an attempt.
    fn work(pool: &TaskPool) -> Work {
        Work {
            shared: Shared::on(Handle::current().id()),
            pool: pool.idle.clone(),
            attempt: None,
        }
    }

    #[tokio::test]
    async fn pooled_task_ends_when_it_is_no_longer_held() {
        let pool = TaskPool::new(1);
        let work = work(&pool);
        let idle = IdleTask(Some(work.shared.clone()));
        let work = tokio::spawn(work);
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        lock(&pool.idle).put(Handle::current().id(), idle);
        pool.trim(); // it may just have come back
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        pool.trim();
        work.await.unwrap();
    }

    #[tokio::test]
    async fn pooled_tasks_end_with_their_pool() {
        let pool = TaskPool::new(1);
        let (early, late) = (work(&pool), work(&pool));
        be_idle(&early.shared, &early.pool);
        drop(pool);
        be_idle(&late.shared, &late.pool);
        early.await;
        late.await;
    }

    #[test]
    fn idle_tasks_end_with_their_runtime() {
        let pool = TaskPool::new(1);
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for _ in 0..2 {
                let work = work(&pool);
                be_idle(&work.shared, &work.pool);
                tokio::spawn(work);
            }
            tokio::task::yield_now().await;
        });
        assert_eq!(lock(&pool.idle).runtimes.len(), 1);
        drop(runtime);
        assert!(lock(&pool.idle).runtimes.is_empty());
    }

    #[test]
    fn idle_tasks_serve_only_their_own_runtime() {
        let runtime = || runtime::Builder::new_current_thread().build().unwrap();
        let (first, second) = (runtime(), runtime());
        let (first, second) = (first.handle().id(), second.handle().id());
        let mut idle = Idle::default();
        for runtime in [first, second, first] {
            idle.put(runtime, IdleTask(None));
        }
        assert!(idle.take(second).is_some());
        assert!(idle.take(second).is_none());
        assert!(idle.trim().is_empty());
        assert!(idle.take(first).is_some());
        assert_eq!(idle.trim().len(), 1, "the other one was not needed");
        assert!(idle.take(first).is_none());
        assert!(idle.runtimes.is_empty());
    }
}
