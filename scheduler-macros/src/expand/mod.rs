//! What a right function becomes: itself, a hidden type of its name with `job`, and definitions.

mod body;
mod job;
mod parameter;
mod policy;
mod span;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Attribute;

use crate::item::Function;
use crate::valid::Definition;
use span::{location, own_name};

/// Imports what the output names, as [`support`]. One import, so that a crate that is not there,
/// or goes by another name, is told once.
pub(crate) fn import(definition: &Definition) -> TokenStream {
    let path = definition.krate.as_ref().map(|path| quote!(#path));
    let path = path.unwrap_or_else(|| quote!(::scheduler_core));
    let support = support();
    quote!(use #path::__private as #support;)
}

/// The name under which the output knows the scheduler's crate.
pub(crate) fn support() -> TokenStream {
    quote!(__scheduler)
}

/// The name of the hidden type: the function's.
pub(crate) fn type_name(function: &Function) -> Ident {
    own_name(&function.sig.ident)
}

/// The hidden type. With braces, so that it lives in the namespace of types only, beside the
/// function, and is imported together with it.
pub(crate) fn type_item(function: &Function) -> TokenStream {
    let (vis, name, cfgs) = (&function.vis, type_name(function), cfgs(function));
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #vis struct #name {}
    }
}

/// The function's `cfg`s that are not decided yet; they hold for all that belongs to it.
pub(crate) fn cfgs(function: &Function) -> Vec<&Attribute> {
    let holds = |attr: &&Attribute| attr.path().is_ident("cfg");
    function.attrs.iter().filter(holds).collect()
}

/// Writes everything out.
pub(crate) fn expand(function: &Function, definition: &Definition) -> TokenStream {
    let (import, p) = (import(definition), support());
    let cfgs = cfgs(function);
    let type_item = type_item(function);
    let deprecated = function
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));
    let carriers = parameter::carriers(&p, definition);
    let builder = builder(&p, function, definition);
    let start = body::start(&p, function, definition);
    let task = task(&p, function, definition);
    let jobs = definition
        .jobs
        .iter()
        .enumerate()
        .map(|(index, job)| job::definition(&p, index, job, definition));
    quote! {
        #function
        #type_item
        #(#cfgs)*
        #allow
        const _: () = {
            #import
            #carriers
            #builder
            #start
            #task
            #(#jobs)*
        };
    }
}

/// `job`, which takes the arguments and nothing that is injected.
fn builder(p: &TokenStream, function: &Function, definition: &Definition) -> TokenStream {
    let (vis, type_name, task) = (&function.vis, type_name(function), &definition.name);
    let arguments: Vec<_> = parameter::arguments(definition).collect();
    let names: Vec<Ident> = arguments
        .iter()
        .map(|(_, name, _)| own_name(name))
        .collect();
    let types = arguments.iter().map(|(_, _, parameter)| &parameter.ty);
    let carriers = arguments
        .iter()
        .map(|(index, ..)| parameter::carrier(*index));
    let doc =
        format!("Starts a job of the task `{task}`; add a trigger, and give it to `add_job`.");
    let job = Ident::new("job", Span::mixed_site());
    let many = (arguments.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote! {
        impl #type_name {
            #[doc = #doc]
            #many
            #vis fn job(#(#names: #types),*) -> #p::Job {
                let #job = #p::job(#task);
                #(let #job = #carriers.write(#job, #names);)*
                #job
            }
        }
        // Counts as a use: a task need not be scheduled at run time as well.
        const _: () = {
            let _ = #type_name::job;
            let _ = #type_name {};
        };
    }
}

fn task(p: &TokenStream, function: &Function, definition: &Definition) -> TokenStream {
    let name = &definition.name;
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
                start: __scheduler_start,
            }
        }
    }
}
