//! One carrier per parameter: a constant that knows how to read it. All requirements on a type apply where its
//! carrier is created and nowhere else, so a violation is reported once.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, Lit};

use super::span::{ends, respanned};
use crate::item::{Default, Parameter, Role, last_segment, type_text};
use crate::valid::Definition;

/// Returns the name of a parameter's carrier.
pub(super) fn carrier(index: usize) -> Ident {
    format_ident!("__SCHEDULER_PARAMETER_{index}")
}

fn default_fn(index: usize) -> Ident {
    format_ident!("__scheduler_default_{index}")
}

/// Returns the parameters that are arguments: index, name, parameter.
pub(super) fn arguments(
    definition: &Definition,
) -> impl Iterator<Item = (usize, &Ident, &Parameter)> {
    definition
        .parameters
        .iter()
        .enumerate()
        .filter(|(_, parameter)| parameter.is_argument())
        .filter_map(|(index, parameter)| Some((index, parameter.name.as_ref()?, parameter)))
}

/// Generates all carriers, and the functions that return defaults.
pub(super) fn carriers(p: &TokenStream, definition: &Definition) -> TokenStream {
    definition
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| {
            let (carrier, ty) = (carrier(index), &parameter.ty);
            let (first, last) = ends(&quote!(#ty));
            if let (Role::Argument(default), Some(name)) = (&parameter.role, &parameter.name) {
                let name = name.unraw().to_string();
                let path = respanned(&quote!(#p::Argument), first);
                let call = if parameter.is_secret {
                    quote_spanned!(last=> ::secret(#name))
                } else {
                    quote_spanned!(last=> ::new(#name))
                };
                let (or, default) = match default_item(p, index, default, parameter) {
                    Some(item) => {
                        let default = default_fn(index);
                        (quote!(.or(#default)), item)
                    }
                    None => <(TokenStream, TokenStream)>::default(),
                };
                quote! {
                    const #carrier: #p::Argument<#ty> = #path #call #or;
                    #default
                }
            } else {
                let path = respanned(&quote!(#p::Injected), first);
                let call = quote_spanned!(last=> ::new());
                quote!(const #carrier: #p::Injected<#ty> = #path #call;)
            }
        })
        .collect()
}

fn default_item(
    p: &TokenStream,
    index: usize,
    default: &Default,
    parameter: &Parameter,
) -> Option<TokenStream> {
    let (name, ty) = (default_fn(index), &parameter.ty);
    let value = match default {
        Default::None => return None,
        Default::OfType => {
            let (first, _) = ends(&quote!(#ty));
            let call = respanned(&quote!(#p::default_of), first);
            quote!(#p::Result::Ok(#call::<#ty>()))
        }
        Default::Value(value) => converted(p, parameter, value)
            .unwrap_or_else(|| quote!({ let value: #ty = #value; #p::Result::Ok(value) })),
    };
    Some(quote!(fn #name() -> #p::Result<#ty, #p::JsonError> { #value }))
}

/// Adds a value from the attribute to the arguments of a job.
pub(super) fn put(
    p: &TokenStream,
    index: usize,
    parameter: &Parameter,
    value: &Expr,
    writer: &Ident,
) -> TokenStream {
    let (carrier, ty) = (carrier(index), &parameter.ty);
    if let Some(text) = converted(p, parameter, value) {
        return quote!(#carrier.put_converted(#writer, #text););
    }
    quote!({ let value: #ty = #value; #carrier.put(#writer, value); })
}

/// Converts a text to the parameter's type; `None` for any other value, which already has that type.
fn converted(p: &TokenStream, parameter: &Parameter, value: &Expr) -> Option<TokenStream> {
    let ty = &parameter.ty;
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = value
    else {
        return None;
    };
    if !takes_text(parameter) {
        return None;
    }
    let (at, _) = ends(&quote!(#text));
    let convert = quote_spanned!(at=> convert);
    Some(quote! {{
        use #p::{TextFrom as _, TextParsed as _, TextRefused as _};
        (&&&#p::Text::<#ty>::new(#text)).#convert()
    }})
}

/// Returns `true` if a text may be converted. Texts are not parsed as numbers: `count = "3"` is a mistake, which
/// `rustc` reports.
fn takes_text(parameter: &Parameter) -> bool {
    const PLAIN: [&str; 16] = [
        "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
        "f32", "f64", "bool", "char",
    ];
    last_segment(&parameter.ty).is_none_or(|name| !PLAIN.contains(&name.as_str()))
}

/// Generates the registration of a parameter.
pub(super) fn description(p: &TokenStream, index: usize, parameter: &Parameter) -> TokenStream {
    let carrier = carrier(index);
    let name = match &parameter.name {
        Some(name) => name.unraw().to_string(),
        None => "_".to_owned(),
    };
    let type_name = type_text(&parameter.ty);
    let role = match &parameter.role {
        Role::Injected => quote!(#p::ParameterRole::Injected(#carrier.requires)),
        Role::Argument(_) => {
            let required = !parameter.is_optional();
            let secret = parameter.is_secret;
            quote!(#p::ParameterRole::Argument { required: #required, secret: #secret, check: &#carrier })
        }
    };
    quote!(#p::Parameter { name: #name, type_name: #type_name, role: #role })
}
