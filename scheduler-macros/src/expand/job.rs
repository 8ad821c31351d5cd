//! The registration of one `#[scheduled_job]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use super::span::location;
use super::{name, parameter, policy};
use crate::attr::JobAttr;
use crate::valid::Definition;

/// Generates the function that writes the job's arguments, if there are any, and the job's definition.
pub(super) fn definition(
    p: &TokenStream,
    index: usize,
    job: &JobAttr,
    definition: &Definition,
) -> (TokenStream, TokenStream) {
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
    let definition = quote! {
        #p::JobDefinition {
            id: #id,
            task: #task,
            location: #location,
            trigger: #trigger,
            policies: #policies,
            paused: #paused,
            arguments: #name,
        }
    };
    (arguments, definition)
}

/// Generates a function that writes the arguments.
fn arguments(p: &TokenStream, name: &Ident, job: &JobAttr, definition: &Definition) -> TokenStream {
    let writer = Ident::new("writer", Span::mixed_site());
    let values = job
        .args
        .iter()
        .flat_map(|args| &args.values)
        .filter_map(|(name, value)| {
            let (index, _, parameter) = parameter::arguments(definition)
                .find(|(_, other, _)| other.unraw() == name.unraw())?;
            Some(parameter::put(p, index, parameter, value, &writer))
        });
    quote! {
        fn #name(#writer: &mut #p::ArgumentsWriter) -> #p::Result<(), #p::JsonError> {
            #(#values)*
            #p::Result::Ok(())
        }
    }
}
