//! The collector of everything that is wrong with one annotated item.

use std::cell::{Cell, RefCell};
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// Collects mistakes, so that all of an item are reported at once.
///
/// It must be finished: dropping it unasked would lose the mistakes, and debug builds say so.
#[derive(Default)]
pub(crate) struct Errors {
    all: RefCell<Vec<syn::Error>>,
    /// Whose lists of keys were printed.
    lists: RefCell<Vec<&'static str>>,
    finished: Cell<bool>,
}

impl Errors {
    /// Adds a mistake that lies on all of `tokens`.
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

    /// How many there are by now; compared before and after to know whether a step went well.
    pub(crate) fn count(&self) -> usize {
        self.all.borrow().len()
    }

    /// Returns `true` for the first mistake that prints the list of keys of this owner.
    pub(crate) fn lists_first_time(&self, owner: &'static str) -> bool {
        let mut lists = self.lists.borrow_mut();
        let is_first = !lists.contains(&owner);
        lists.push(owner);
        is_first
    }

    /// Gives all mistakes as one, or `Ok` when there is none.
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
