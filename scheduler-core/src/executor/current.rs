//! The run that the current thread executes, so that a run that stops its own scheduler is not waited for.

use std::cell::Cell;

use crate::id::RunId;

thread_local! {
    static CURRENT: Cell<Option<RunId>> = const { Cell::new(None) };
}

/// Returns the run whose body is being executed on this thread.
pub(crate) fn current_run() -> Option<RunId> {
    CURRENT.get()
}

/// Leaves the run when dropped, including during a panic.
pub(super) struct Inside(Option<RunId>);

/// Enters a run on this thread.
pub(super) fn enter(run: RunId) -> Inside {
    Inside(CURRENT.replace(Some(run)))
}

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_nest_and_are_left_again() {
        let run = RunId::from_u128(7);
        assert_eq!(current_run(), None);
        {
            let _outer = enter(RunId::from_u128(1));
            let _inner = enter(run);
            assert_eq!(current_run(), Some(run));
        }
        assert_eq!(current_run(), None);
    }
}
