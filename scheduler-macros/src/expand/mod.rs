//! The expansion of a correct function: the function itself, a hidden type of the same name with `job`, and
//! definitions.

mod body;
mod job;
mod name;
mod parameter;
mod policy;
mod span;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Attribute;
use syn::ext::IdentExt;

use crate::item::Function;
use crate::valid::Definition;
use span::{location, own_local, own_name};

/// Imports what the output names, as [`support`]. A single import, so that a missing or renamed crate is reported
/// only once.
pub(crate) fn import(function: &Function, definition: &Definition) -> TokenStream {
    let path = definition.krate.as_ref().map(|path| quote!(#path));
    let path = path.unwrap_or_else(|| quote!(::scheduler_core));
    let (support, cfgs) = (support(function), cfgs(function));
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        use #path::__private as #support;
    }
}

/// Returns the name under which the output refers to the scheduler's crate: one per function, since they share a
/// module.
pub(crate) fn support(function: &Function) -> TokenStream {
    let name = format_ident!("__scheduler_{}", function.sig.ident.unraw());
    quote!(#name)
}

/// Returns the name of the type with `job`.
pub(crate) fn type_name(function: &Function, definition: &Definition) -> Ident {
    match &definition.job_type {
        Some(name) => name.clone(),
        None => own_name(&function.sig.ident),
    }
}

/// Generates the type with `job`. It has braces, so that it exists only in the type namespace, next to the function,
/// and is imported together with it. It is an item of its module, not an import: like the function, it shadows a glob
/// import of the same name.
pub(crate) fn type_item(function: &Function, definition: &Definition) -> TokenStream {
    let (vis, cfgs, name) = (
        &function.vis,
        cfgs(function),
        type_name(function, definition),
    );
    let doc = if definition.job_type.is_some() {
        let text = format!("Makes jobs of the task `{}`.", function.sig.ident.unraw());
        quote!(#[doc = #text])
    } else {
        quote!(#[doc(hidden)])
    };
    quote! {
        #(#cfgs)*
        #doc
        #vis struct #name {}
    }
}

/// Returns the function's `cfg`s that are not yet evaluated; they apply to everything that belongs to it.
pub(crate) fn cfgs(function: &Function) -> Vec<&Attribute> {
    let holds = |attr: &&Attribute| attr.path().is_ident("cfg");
    function.attrs.iter().filter(holds).collect()
}

/// Generates the complete output.
///
/// Everything except the function is a struct, an import or an `impl`, which the compiler rejects and discards inside
/// an `impl` or a trait: a task that was put there by mistake is reported, without errors about the rest of its
/// expansion.
pub(crate) fn expand(function: &Function, definition: &Definition) -> TokenStream {
    let (import, p) = (import(function, definition), support(function));
    let cfgs = cfgs(function);
    let type_item = type_item(function, definition);
    let deprecated = function
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));
    let name = name::item(&p, definition);
    let carriers = parameter::carriers(&p, definition);
    let start = body::start(&p, function, definition);
    let (arguments, jobs): (Vec<_>, Vec<_>) = definition
        .jobs
        .iter()
        .enumerate()
        .map(|(index, job)| job::definition(&p, index, job, definition))
        .unzip();
    let task = task(&p, function, definition, &jobs);
    let registered = quote! {
        #name
        #carriers
        #start
        #(#arguments)*
        #task
    };
    let builder = builder(&p, function, definition, &registered);
    quote! {
        #function
        #type_item
        #import
        #(#cfgs)*
        #allow
        #builder
    }
}

/// Generates `job`, which takes the arguments but not the injected parameters. It contains the registration.
fn builder(
    p: &TokenStream,
    function: &Function,
    definition: &Definition,
    registered: &TokenStream,
) -> TokenStream {
    let (vis, type_name, task) = (
        &function.vis,
        type_name(function, definition),
        name::of_task(definition),
    );
    let arguments: Vec<_> = parameter::arguments(definition).collect();
    let names: Vec<Ident> = arguments
        .iter()
        .map(|(_, name, _)| own_local(name))
        .collect();
    let types = arguments.iter().map(|(_, _, parameter)| &parameter.ty);
    // Nested calls instead of a variable, which a parameter of the same name would shadow.
    let job =
        arguments
            .iter()
            .zip(&names)
            .fold(quote!(#p::job(#task)), |job, ((index, ..), name)| {
                let carrier = parameter::carrier(*index);
                quote!(#carrier.write(#job, #name))
            });
    let doc = format!(
        "Starts a job of the task `{}`; add a trigger, and give it to `add_job`.",
        function.sig.ident.unraw()
    );
    let many = (arguments.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote! {
        impl #type_name {
            #[doc = #doc]
            #many
            #vis fn job(#(#names: #types),*) -> #p::Job {
                #registered
                #job
            }
        }
    }
}

/// Submits the task with its jobs: a single submission is as expensive to compile as the rest of a small task.
fn task(
    p: &TokenStream,
    function: &Function,
    definition: &Definition,
    jobs: &[TokenStream],
) -> TokenStream {
    let name = name::of_task(definition);
    let is_sync = function.sig.asyncness.is_none();
    let location = location(p, function.sig.ident.span());
    let parameters = definition
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| parameter::description(p, index, parameter));
    quote! {
        #p::inventory::submit! {
            #p::TaskDefinition {
                name: #name,
                location: #location,
                is_sync: #is_sync,
                parameters: &[#(#parameters),*],
                jobs: &[#(#jobs),*],
                start: __scheduler_start,
            }
        }
    }
}
