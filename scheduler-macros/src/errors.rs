//! The collector of all mistakes in an annotated item.

use std::cell::{Cell, RefCell};
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// Collects mistakes, so that all mistakes of an item are reported at once.
///
/// It must be finished: dropping it would lose the mistakes, and panics in debug builds.
#[derive(Default)]
pub(crate) struct Errors {
    all: RefCell<Vec<syn::Error>>,
    /// The owners of the lists of keys that were already printed.
    lists: RefCell<Vec<&'static str>>,
    finished: Cell<bool>,
}

impl Errors {
    /// Adds a mistake that covers all of `tokens`.
    pub(crate) fn on(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake at one token.
    pub(crate) fn at(&self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn push(&self, error: syn::Error) {
        self.all.borrow_mut().push(error);
    }

    /// Returns the number of mistakes so far; comparing it before and after a step shows if the step succeeded.
    pub(crate) fn count(&self) -> usize {
        self.all.borrow().len()
    }

    /// Returns `true` the first time that the list of keys of this owner is to be printed.
    pub(crate) fn lists_first_time(&self, owner: &'static str) -> bool {
        let mut lists = self.lists.borrow_mut();
        let is_first = !lists.contains(&owner);
        lists.push(owner);
        is_first
    }

    /// Returns all mistakes as one error, or `Ok` if there are none.
    pub(crate) fn finish(self) -> syn::Result<()> {
        self.finished.set(true);
        let mut all = self.all.take().into_iter();
        let Some(mut first) = all.next() else {
            return Ok(());
        };
        all.for_each(|error| first.combine(error));
        Err(first)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(
            self.finished.get() || std::thread::panicking(),
            "the mistakes of an item were collected but never reported"
        );
    }
}
