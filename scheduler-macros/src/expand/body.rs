//! The body of one attempt: takes the parameters, calls the function, and records its result.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ReturnType;

use super::parameter::carrier;
use super::span::{ends, own_name, respanned, shown_at};
use super::type_name;
use crate::item::Function;
use crate::valid::Definition;

/// Generates the body of one attempt.
pub(super) fn start(p: &TokenStream, function: &Function, definition: &Definition) -> TokenStream {
    let name = &function.sig.ident;
    let called = own_name(name);
    let context = Ident::new("context", Span::mixed_site());
    let values: Vec<Ident> = (0..definition.parameters.len())
        .map(|index| Ident::new(&format!("value_{index}"), Span::mixed_site()))
        .collect();
    let carriers = (0..values.len()).map(carrier);
    let (record_item, record) = record(p, function);
    let at = shown_at(name.span());
    let body = if function.sig.asyncness.is_some() {
        quote_spanned!(at=> #p::async_body(#called(#(#values),*), #record))
    } else {
        quote_spanned!(at=> #p::sync_body(move || #record(#called(#(#values),*))))
    };
    let type_name = type_name(function, definition);
    // Without `?`, which is several times as expensive to compile.
    quote! {
        #record_item
        fn __scheduler_start(#context: &#p::JobContext) -> #p::Result<#p::TaskBody, #p::TaskFailure> {
            // Counts as a use: a task need not also be scheduled at run time.
            let _ = (#type_name::job, #type_name {});
            #(
                let #values = match #carriers.take(#context) {
                    #p::Result::Ok(value) => value,
                    #p::Result::Err(failure) => return #p::Result::Err(failure),
                };
            )*
            let _ = #context;
            #p::Result::Ok(#body)
        }
    }
}

/// Generates an item that converts the function's result to its record, and returns the item and its name. Errors
/// about the result's type are shown at the type.
fn record(p: &TokenStream, function: &Function) -> (TokenStream, TokenStream) {
    let value = Ident::new("value", Span::mixed_site());
    let ty = match &function.sig.output {
        ReturnType::Default => return (TokenStream::new(), quote!(#p::nothing)),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let (first, last) = ends(&ty);
    let (open, at_first) = (quote_spanned!(first=> <), respanned(p, first));
    let returned = respanned(&quote!(#p::Returned), first);
    let record = quote_spanned!(last=> record);
    let value_at = quote_spanned!(last=> (#value));
    let item = quote! {
        fn __scheduler_record(#value: #ty) -> #p::TaskOutput {
            use #p::RecordPlain as _;
            #open #at_first::Returned<#ty>>::#record(#returned #value_at)
        }
    };
    (item, quote!(__scheduler_record))
}
