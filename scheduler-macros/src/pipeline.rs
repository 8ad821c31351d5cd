//! From the tokens of an annotated item to its expansion.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Attribute, Meta};

use crate::attr::{JobAttr, TaskAttr};
use crate::errors::Errors;
use crate::item::Function;
use crate::valid::{Attributes, Definition};
use crate::{expand, fallback};

/// The attribute that is being expanded: the outermost one of the function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    ScheduledJob,
    Task,
}

/// Expands an annotated item. The output always contains what the user wrote.
pub(crate) fn run(which: Which, attr: TokenStream, item: &TokenStream) -> TokenStream {
    let errors = Errors::default();
    let mut attributes = Attributes::default();
    read(which, Span::call_site(), attr, &mut attributes, &errors);
    let mut function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            return fallback::item(item, errors);
        }
    };
    take_others(&mut function, &mut attributes, &errors);
    let definition = Definition::check(&mut function, attributes, &errors);
    match errors.finish() {
        Ok(()) => expand::expand(&function, &definition),
        Err(error) => fallback::function(&function, &definition, &error),
    }
}

fn read(which: Which, span: Span, tokens: TokenStream, to: &mut Attributes, errors: &Errors) {
    match which {
        Which::ScheduledJob => to.jobs.push(JobAttr::read(span, tokens, errors)),
        Which::Task => to.tasks.push(TaskAttr::read(span, tokens, errors)),
    }
}

/// Removes our other attributes from the function, so that one expansion handles all of them.
fn take_others(function: &mut Function, to: &mut Attributes, errors: &Errors) {
    function.attrs.retain(|attr| {
        let Some(which) = ours(attr) else {
            return true;
        };
        let tokens = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(meta) => {
                errors.on(meta, "this attribute takes its keys in parentheses: write `#[scheduled_job(interval = \"5m\")]`");
                return false;
            }
        };
        read(which, attr.path().span(), tokens, to, errors);
        false
    });
}

/// Attributes are recognized by name, since a macro cannot resolve a path.
fn ours(attr: &Attribute) -> Option<Which> {
    let segments = &attr.path().segments;
    let last = segments.last()?.ident.to_string();
    match last.as_str() {
        "scheduled_job" => Some(Which::ScheduledJob),
        // Other crates have their own `task`, such as embassy.
        "task" if segments.len() == 1 || segments.first()?.ident == "scheduler_core" => {
            Some(Which::Task)
        }
        _ => None,
    }
}
