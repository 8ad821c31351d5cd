//! The body of one attempt: parameters taken, the function called, its result recorded.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ReturnType;

use super::parameter;
use super::span::{ends, own_name, respanned, shown_at};
use crate::item::Function;
use crate::valid::Definition;

/// Makes the body of one attempt.
pub(super) fn start(p: &TokenStream, function: &Function, definition: &Definition) -> TokenStream {
    let name = &function.sig.ident;
    let called = own_name(name);
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
