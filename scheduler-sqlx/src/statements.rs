//! The texts of statements: made once, when a store is opened.

use std::collections::HashMap;
use std::sync::Arc;

/// Names the statements of a module, and lists them as `STATEMENTS`. In braces stand tables and indexes, codes
/// of runs, and parts that several statements share; see [`Tables::fill`](crate::tables::Tables::fill).
macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(const $name: &str = $text;)*

        /// All of them.
        pub(super) const STATEMENTS: &[&str] = &[$($name),*];
    };
}
pub(crate) use statements;

/// Texts with everything filled in, by what they were made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts(Arc<HashMap<&'static str, Arc<str>>>);

impl Texts {
    /// Makes the texts of statements, module by module.
    pub(crate) fn new(
        statements: &[&[&'static str]],
        fill: impl Fn(&'static str) -> String,
    ) -> Self {
        let all = statements.iter().flat_map(|module| module.iter().copied());
        Self(Arc::new(
            all.map(|template| (template, fill(template).into()))
                .collect(),
        ))
    }

    /// The text that was made of this; `None` for one that depends on what is asked for.
    pub(crate) fn get(&self, template: &str) -> Option<Arc<str>> {
        self.0.get(template).cloned()
    }
}
