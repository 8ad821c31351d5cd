//! One `#[scheduled_job]` as the registry knows it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use super::span::location;
use super::{name, parameter, policy};
use crate::attr::JobAttr;
use crate::valid::Definition;

pub(super) fn definition(
    p: &TokenStream,
    index: usize,
    job: &JobAttr,
    definition: &Definition,
) -> TokenStream {
    let task = name::of_task(definition);
    let id = job
        .id
        .as_ref()
        .map_or_else(|| task.clone(), |id| name::checked(p, "id", id));
    let trigger = job.trigger.as_deref().unwrap_or_default();
    let location = location(p, job.span);
    let policies = policy::function(p, &job.policies);
    let paused = job.paused.as_ref().map_or_else(
        || quote!(#p::Option::None),
        |note| quote!(#p::Option::Some(#note)),
    );
    let name = format_ident!("__scheduler_arguments_{index}");
    let (name, arguments) = match &job.args {
        Some(args) if !args.values.is_empty() => {
            (quote!(#name), arguments(p, &name, job, definition))
        }
        _ => (quote!(#p::no_arguments), TokenStream::new()),
    };
    quote! {
        #arguments
        #p::inventory::submit! {
            #p::JobDefinition {
                id: #id,
                task: #task,
                location: #location,
                trigger: #trigger,
                policies: #policies,
                paused: #paused,
                arguments: #name,
            }
        }
    }
}

/// A function that gives the arguments.
fn arguments(p: &TokenStream, name: &Ident, job: &JobAttr, definition: &Definition) -> TokenStream {
    let arguments = Ident::new("arguments", Span::mixed_site());
    let values = job
        .args
        .iter()
        .flat_map(|args| &args.values)
        .filter_map(|(name, value)| {
            let (index, _, parameter) = parameter::arguments(definition)
                .find(|(_, other, _)| other.unraw() == name.unraw())?;
            let carrier = parameter::carrier(index);
            let value = parameter::converted(p, parameter, value);
            Some(quote!(let #arguments = #carrier.put(#arguments, #value?)?;))
        });
    quote! {
        fn #name() -> #p::Result<#p::Arguments, #p::JsonError> {
            let #arguments = #p::Arguments::new();
            #(#values)*
            #p::Result::Ok(#arguments)
        }
    }
}
