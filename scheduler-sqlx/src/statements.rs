//! The texts of statements, built once, when a store is opened.

use std::collections::HashMap;
use std::sync::Arc;

/// Names the statements of a module, and lists them as `STATEMENTS`. Names in braces stand for tables and indexes,
/// codes of runs, and parts that several statements share; see [`Tables::fill`](crate::tables::Tables::fill).
macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(const $name: &str = $text;)*

        /// All statements of this module.
        pub(super) const STATEMENTS: &[&str] = &[$($name),*];
    };
}
pub(crate) use statements;

/// Texts of statements with all names filled in, by template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts(Arc<HashMap<&'static str, Arc<str>>>);

impl Texts {
    /// Builds the texts of statements, module by module.
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

    /// Returns the text of a template; `None` for a statement that depends on the request.
    pub(crate) fn get(&self, template: &str) -> Option<Arc<str>> {
        self.0.get(template).cloned()
    }
}
