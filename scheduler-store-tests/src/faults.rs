//! A store whose calls fail as a test specifies.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use scheduler_core::__private::lock;
use scheduler_core::store::{Call, Intercept, Intercepted, Store, StoreError, StoreFuture};
use tokio::sync::watch;
use tokio::time::sleep;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call is not carried out, and fails.
    Before,
    /// The call is not carried out, and fails like that of an unreachable store.
    Unreachable,
    /// The call is carried out, but its answer is lost: it fails.
    After,
    /// The call is carried out, and its answer is delayed by this duration.
    Slow(Duration),
    /// The call is not carried out, and hangs until [`Faults::lift`]; then it fails.
    HangBefore,
    /// The call is carried out, and hangs until [`Faults::lift`]; then it fails.
    HangAfter,
}

/// Wraps a store so that its calls fail as its [`Faults`] specify; initially none fails.
///
/// ```
/// use scheduler_core::store::Call;
/// use scheduler_core::{MemoryStore, Scheduler};
/// use scheduler_store_tests::{Fault, faulty};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = faulty(MemoryStore::new());
/// let faults = store.by().clone();
/// let scheduler = Scheduler::builder().without_static_jobs().store(store).start().await?;
///
/// faults.next(Call::ListJobs, Fault::Before);
/// assert!(scheduler.get_jobs().await.is_err());
/// assert!(scheduler.get_jobs().await.is_ok());
/// # Ok(())
/// # }
/// ```
pub fn faulty(store: impl Store) -> Intercepted<Faults> {
    Intercepted::new(Arc::new(store), Faults::none())
}

/// Specifies how the calls of a [`faulty`] store fail; clones share one state.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    plan: Mutex<Plan>,
    /// How often faults were lifted; a hanging call waits for the next time.
    lifted: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Plan {
    next: HashMap<Call, VecDeque<Fault>>,
    from_now: HashMap<Call, Fault>,
    all: Option<Fault>,
    each_twice: bool,
    calls: HashMap<Call, usize>,
}

impl Plan {
    fn fault(&mut self, call: Call) -> Option<Fault> {
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let turn = *count % 3;
        if let Some(fault) = self.next.get_mut(&call).and_then(VecDeque::pop_front) {
            return Some(fault);
        }
        if let Some(fault) = self.from_now.get(&call).copied().or(self.all) {
            return Some(fault);
        }
        match turn {
            1 if self.each_twice => Some(Fault::Before),
            2 if self.each_twice => Some(Fault::After),
            _ => None,
        }
    }
}

impl Faults {
    pub(crate) fn none() -> Self {
        Self(Arc::new(Shared {
            plan: Mutex::default(),
            lifted: watch::Sender::new(0),
        }))
    }

    /// Returns how a call that is made now fails.
    fn fault(&self, call: Call) -> Option<Fault> {
        self.plan().fault(call)
    }

    /// Subscribes to the next lift.
    fn lifts(&self) -> watch::Receiver<u64> {
        self.0.lifted.subscribe()
    }

    /// Makes the next call of this kind fail like this; repeated faults queue up.
    pub fn next(&self, call: Call, fault: Fault) {
        let mut plan = self.plan();
        plan.next.entry(call).or_default().push_back(fault);
    }

    /// Makes all calls of this kind fail like this from now on.
    pub fn always(&self, call: Call, fault: Fault) {
        self.plan().from_now.insert(call, fault);
    }

    /// Makes all calls of every kind fail like this from now on. With [`Fault::Before`], the store acts as if it
    /// could not be connected to.
    pub fn all(&self, fault: Fault) {
        self.plan().all = Some(fault);
    }

    /// For each kind of call, makes the first one fail before and the second one after it is carried out, and lets
    /// the third one work; then starts over.
    pub fn each_call_twice(&self) {
        self.plan().each_twice = true;
    }

    /// Lets calls work again; those that hang fail now.
    pub fn lift(&self) {
        let calls = std::mem::take(&mut self.plan().calls);
        *self.plan() = Plan {
            calls,
            ..Plan::default()
        };
        self.0.lifted.send_modify(|times| *times += 1);
    }

    /// Returns how many such calls were made so far, including failed ones.
    pub fn count(&self, call: Call) -> usize {
        self.plan().calls.get(&call).copied().unwrap_or(0)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.0.plan)
    }
}

impl Intercept for Faults {
    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        carry_out: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let failed = |what| Err(StoreError::new(format!("{call:?}: {what}")));
            // Subscribes before the fault is known, so that no lift goes unnoticed; the sender outlives the call.
            let mut lifted = self.lifts();
            let fault = self.fault(call);
            match fault {
                None => carry_out().await,
                Some(Fault::Before) => failed("not connected"),
                Some(Fault::Unreachable) => {
                    Err(StoreError::unreachable(format!("{call:?}: not connected")))
                }
                Some(Fault::After) => {
                    carry_out().await?;
                    failed("the connection broke before the answer")
                }
                Some(Fault::Slow(delay)) => {
                    let answer = carry_out().await;
                    sleep(delay).await;
                    answer
                }
                Some(Fault::HangBefore) => {
                    let _ = lifted.changed().await;
                    failed("no answer")
                }
                Some(Fault::HangAfter) => {
                    carry_out().await?;
                    let _ = lifted.changed().await;
                    failed("no answer")
                }
            }
        })
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&*self.plan()).finish()
    }
}
