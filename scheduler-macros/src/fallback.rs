//! The output after a mistake: the user's item, and a stub of what the macro would have added, so that no further
//! errors follow.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::errors::Errors;
use crate::expand;
use crate::item::Function;
use crate::valid::{Definition, signature};

/// An item that is not a function.
pub(crate) fn item(item: &TokenStream, errors: Errors) -> TokenStream {
    let mistakes = errors.finish().err().map(|error| error.to_compile_error());
    quote!(#item #mistakes)
}

/// A function with mistakes in it or in its attributes.
pub(crate) fn function(
    function: &Function,
    definition: &Definition,
    error: &syn::Error,
) -> TokenStream {
    let mistakes = error.to_compile_error();
    // A struct cannot be defined inside an `impl`.
    if signature::inside_impl(function) {
        return quote!(#function #mistakes);
    }
    let import = expand::import(function, definition);
    let p = expand::support(function);
    let type_item = expand::type_item(function, definition);
    let name = expand::type_name(function, definition);
    let vis = &function.vis;
    let generics = &function.sig.generics;
    let clause = &generics.where_clause;
    let cfgs = expand::cfgs(function);
    let parameters = definition
        .parameters
        .iter()
        .filter(|parameter| parameter.is_argument())
        .enumerate();
    let parameters = parameters.map(|(index, parameter)| {
        let name = format_ident!("_argument_{index}");
        let ty = &parameter.ty;
        quote!(#name: #ty)
    });
    quote! {
        #function
        #mistakes
        #type_item
        #import
        #(#cfgs)*
        impl #name {
            #[doc(hidden)]
            #vis fn job #generics (#(#parameters),*) -> #p::Job #clause {
                #p::job("")
            }
        }
    }
}
