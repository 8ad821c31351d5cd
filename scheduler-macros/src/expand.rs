//! What a right function becomes: itself, a hidden type of its name with `job`, and definitions.

mod job;
mod parameter;
mod policy;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, ReturnType};

use crate::item::Function;
use crate::valid::Definition;

/// A span that is shown at `span` but counts as the macro's own, so that lints on written code
/// (`non_camel_case_types`, `dead_code`, clippy's) leave it alone.
pub(crate) fn shown_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

pub(crate) fn crate_path(definition: &Definition) -> TokenStream {
    match &definition.krate {
        Some(path) => quote!(#path),
        None => quote!(::scheduler_core),
    }
}

/// The name of the hidden type: the function's.
pub(crate) fn type_name(function: &Function) -> Ident {
    let name = &function.sig.ident;
    Ident::new_raw_if_needed(name, shown_at(name.span()))
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
    let path = crate_path(definition);
    let p = quote!(#path::__private);
    let cfgs = cfgs(function);
    let type_item = type_item(function);
    let deprecated = function
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));
    let carriers = parameter::carriers(&p, definition);
    let builder = builder(&p, function, definition);
    let start = start(&p, function, definition);
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
        .map(|(_, name, _)| Ident::new_raw_if_needed(name, shown_at(name.span())))
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

/// Makes the body of one attempt.
fn start(p: &TokenStream, function: &Function, definition: &Definition) -> TokenStream {
    let name = &function.sig.ident;
    let called = Ident::new_raw_if_needed(name, shown_at(name.span()));
    let context = Ident::new("context", Span::mixed_site());
    let values: Vec<Ident> = (0..definition.parameters.len())
        .map(|index| Ident::new(&format!("value_{index}"), Span::mixed_site()))
        .collect();
    let takes = definition
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| parameter::take(p, index, parameter, &context));
    let record = record(p, function);
    let at = shown_at(name.span());
    let body = if function.sig.asyncness.is_some() {
        quote_spanned!(at=> #p::async_body(#called(#(#values),*), __scheduler_record))
    } else {
        quote_spanned!(at=> #p::sync_body(move || __scheduler_record(#called(#(#values),*))))
    };
    quote! {
        #record
        fn __scheduler_start(#context: &#p::JobContext) -> #p::Result<#p::TaskBody, #p::TaskFailure> {
            #(let #values = #takes?;)*
            let _ = #context;
            #p::Result::Ok(#body)
        }
    }
}

/// Turns what the function returns into its record; errors about its type lie on the type.
fn record(p: &TokenStream, function: &Function) -> TokenStream {
    let value = Ident::new("value", Span::mixed_site());
    let ty = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let (first, last) = ends(&ty);
    let (open, at_first) = (quote_spanned!(first=> <), respanned(p, first));
    let returned = respanned(&quote!(#p::Returned), first);
    let record = quote_spanned!(last=> record);
    let value_at = quote_spanned!(last=> (#value));
    quote! {
        fn __scheduler_record(#value: #ty) -> #p::TaskOutput {
            use #p::RecordPlain as _;
            #open #at_first::Returned<#ty>>::#record(#returned #value_at)
        }
    }
}

/// The same tokens at another place.
pub(crate) fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.clone().into_iter().map(at).collect()
}

/// Where a run of tokens begins and ends, as spans of the macro's own.
pub(crate) fn ends(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    (shown_at(first), shown_at(last))
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

/// The place of `span` in the source, which `line!` reads off its own tokens.
fn location(p: &TokenStream, span: Span) -> TokenStream {
    let line = quote_spanned!(span=> ::core::line!());
    quote! {
        #p::SourceLocation {
            package: #p::or_empty(::core::option_env!("CARGO_PKG_NAME")),
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: #line,
        }
    }
}

/// `Ident::new` for a name that may be written as `r#name`.
trait NewRaw {
    fn new_raw_if_needed(name: &Ident, span: Span) -> Ident;
}

impl NewRaw for Ident {
    fn new_raw_if_needed(name: &Ident, span: Span) -> Ident {
        let plain = name.unraw();
        if plain == *name {
            format_ident!("{}", plain, span = span)
        } else {
            Ident::new_raw(&plain.to_string(), span)
        }
    }
}
