//! The drivers of this process that are woken by changes, and the one task that receives changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

#[cfg(feature = "postgres")]
use chrono::{DateTime, Utc};
use scheduler_core::__private::lock;
use scheduler_core::store::Wake;

use crate::due_floor::DueFloor;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    state: Mutex<State>,
    is_listening: AtomicBool,
    /// Where due jobs are looked for; a change on another node may lie before it.
    pub(crate) due_floor: DueFloor,
}

#[derive(Debug, Default)]
struct State {
    wakes: Vec<Wake>,
    has_listener: bool,
    /// Why changes by other nodes are not received.
    notice: Option<Arc<str>>,
}

impl Wakes {
    /// Registers a driver. Returns the listener to start for it, if there is none yet.
    pub(crate) fn add(self: &Arc<Self>, wake: Wake) -> Option<Listener> {
        let mut state = self.lock();
        state.wakes.retain(Wake::is_wanted);
        state.wakes.push(wake);
        let is_first = !std::mem::replace(&mut state.has_listener, true);
        is_first.then(|| Listener {
            wakes: Arc::downgrade(self),
            has_ended: false,
        })
    }

    /// Returns `true` if changes are received as soon as they are made.
    pub(crate) fn is_listening(&self) -> bool {
        self.is_listening.load(Ordering::Acquire)
    }

    /// Returns why changes by other nodes are not received at present, if that is known.
    pub(crate) fn notice(&self) -> Option<Arc<str>> {
        self.lock().notice.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn each(&self, wake: impl Fn(&Wake) -> bool) {
        self.lock().wakes.retain(wake);
    }

    fn no_listener(&self, state: &mut State) {
        state.has_listener = false;
        state.notice = None;
        self.is_listening.store(false, Ordering::Release);
    }
}

/// State of the task that listens. If the task is dropped with its runtime, the next driver starts another one.
#[derive(Debug)]
pub(crate) struct Listener {
    wakes: Weak<Wakes>,
    has_ended: bool,
}

impl Listener {
    /// Returns `true` if there still is a driver to wake. Otherwise the task has to end: from now on it counts as gone.
    pub(crate) fn is_wanted(&mut self) -> bool {
        let Some(wakes) = self.wakes.upgrade() else {
            return false;
        };
        let mut state = wakes.lock();
        state.wakes.retain(Wake::is_wanted);
        if state.wakes.is_empty() {
            wakes.no_listener(&mut state);
            self.has_ended = true;
        }
        !self.has_ended
    }

    /// Records that changes by other nodes are received.
    pub(crate) fn hears(&self) {
        self.set_listening(true, None);
    }

    /// Records that changes are not received, and why. Drivers poll until they are, beginning now.
    pub(crate) fn hears_nothing(&self, why: impl Into<Arc<str>>) {
        self.set_listening(false, Some(why.into()));
        self.wake_all();
    }

    fn set_listening(&self, listening: bool, notice: Option<Arc<str>>) {
        if let Some(wakes) = self.wakes.upgrade() {
            wakes.lock().notice = notice;
            wakes.is_listening.store(listening, Ordering::Release);
        }
    }

    pub(crate) fn wake_all(&self) {
        if let Some(wakes) = self.wakes.upgrade() {
            wakes.due_floor.clear();
            wakes.each(Wake::wake);
        }
    }

    /// Wakes the drivers that would sleep beyond `due`.
    #[cfg(feature = "postgres")]
    pub(crate) fn wake_for(&self, due: DateTime<Utc>) {
        if let Some(wakes) = self.wakes.upgrade() {
            // 1970 stands for "look at once": for free slots and released runs. No job is due by then.
            if due != DateTime::UNIX_EPOCH {
                wakes.due_floor.lower(due.timestamp_micros());
            }
            wakes.each(|wake| wake.wake_for(due));
        }
    }
}

#[cfg(all(test, feature = "postgres"))]
impl Listener {
    /// Returns a listener without drivers.
    pub(crate) fn of_nobody() -> Self {
        Self {
            wakes: Weak::new(),
            has_ended: true,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        if let Some(wakes) = self.wakes.upgrade() {
            wakes.no_listener(&mut wakes.lock());
        }
    }
}
