//! How the calls of a faulty store fail, one by one.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use scheduler_core::__private::lock;
use tokio::sync::watch;

/// A call of a [`Store`](scheduler_core::store::Store).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of its name")]
#[non_exhaustive]
pub enum Call {
    Insert,
    Reconcile,
    Get,
    List,
    Edit,
    Remove,
    Claim,
    NextDue,
    RunNow,
    Cancel,
    AskedToStop,
    Finish,
    Release,
    Held,
    Mend,
    Runs,
    Run,
    Dropped,
    Prune,
    StoreTime,
    Join,
    Beat,
    IsOnlyNode,
    Leave,
    TakeOver,
    Nodes,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing is done, and the call fails.
    Before,
    /// Nothing is done, and the call fails as that of a store that cannot be reached.
    Unreachable,
    /// It is carried out, and its answer is lost: the call fails.
    After,
    /// It is carried out, and the answer comes so much later.
    Slow(Duration),
    /// Nothing is done and nothing is answered until [`Faults::lift`]; then the call fails.
    HangBefore,
    /// It is carried out, and nothing is answered until [`Faults::lift`]; then the call fails.
    HangAfter,
}

/// Says how the calls of a [`Faulty`](crate::Faulty) store fail; a clone is another handle on the same.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    plan: Mutex<Plan>,
    /// How often faults were lifted; what hangs waits for the next time.
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

    /// How a call that is made now fails.
    pub(crate) fn fault(&self, call: Call) -> Option<Fault> {
        self.plan().fault(call)
    }

    /// Tells of the next lift.
    pub(crate) fn lifts(&self) -> watch::Receiver<u64> {
        self.0.lifted.subscribe()
    }

    /// The next call of this kind fails so; more of them queue up.
    pub fn next(&self, call: Call, fault: Fault) {
        let mut plan = self.plan();
        plan.next.entry(call).or_default().push_back(fault);
    }

    /// All calls of this kind fail so from now on.
    pub fn always(&self, call: Call, fault: Fault) {
        self.plan().from_now.insert(call, fault);
    }

    /// All calls of every kind fail so from now on: with [`Fault::Before`], a store that cannot be
    /// connected to.
    pub fn all(&self, fault: Fault) {
        self.plan().all = Some(fault);
    }

    /// Of each kind of call, the first fails before and the second after it was carried out, the third
    /// works; and so on.
    pub fn each_call_twice(&self) {
        self.plan().each_twice = true;
    }

    /// No call fails any more, and those that hang fail now.
    pub fn lift(&self) {
        let calls = std::mem::take(&mut self.plan().calls);
        *self.plan() = Plan {
            calls,
            ..Plan::default()
        };
        self.0.lifted.send_modify(|times| *times += 1);
    }

    /// How often there was such a call so far, failed ones included.
    pub fn count(&self, call: Call) -> usize {
        self.plan().calls.get(&call).copied().unwrap_or(0)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.0.plan)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&*self.plan()).finish()
    }
}
