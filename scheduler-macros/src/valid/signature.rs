//! What the signature of a task may be.

use proc_macro2::TokenTree;
use quote::{ToTokens, quote};
use syn::{ReturnType, Safety, Type};

use crate::errors::Errors;
use crate::item::{Function, find};

/// Whether the function certainly stands in an `impl` or a trait; without `self` or `Self` a macro
/// cannot know.
pub(crate) fn inside_impl(function: &Function) -> bool {
    function.sig.receiver().is_some() || self_type(function).is_some()
}

fn self_type(function: &Function) -> Option<TokenTree> {
    let sig = &function.sig;
    find(quote!(#sig), "Self").or_else(|| find(function.body.clone().into(), "Self"))
}

pub(super) fn check(function: &Function, errors: &Errors) {
    let sig = &function.sig;
    if let Some(receiver) = sig.receiver() {
        errors.on(
            receiver,
            "a task is a function that stands by itself, so it cannot take `self`: move it out of the `impl`, and take what it needs as `Data<T>`",
        );
    } else if let Some(token) = self_type(function) {
        errors.on(
            token,
            "a task is a function that stands by itself, so it knows no `Self`: move it out of the `impl`, and write the type's name",
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            "the scheduler calls a task by itself, so it cannot be `unsafe`: put the `unsafe` block inside",
        );
    }
    let test = function.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    });
    if let Some(test) = test {
        errors.on(
            test,
            "a task is no test: remove this, and write a test that calls the function",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(
            variadic,
            "a task takes named parameters, so it cannot be variadic",
        );
    }
    if !sig.generics.params.is_empty() {
        errors.on(
            &sig.generics.params,
            "a task is found by its name alone, so it cannot be generic: write the types out, and call a generic function from it",
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.on(
            clause,
            "a task is not generic, so it has no `where` clause: remove it",
        );
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        output(ty, sig.asyncness.is_some(), errors);
    }
}

fn output(ty: &Type, is_async: bool, errors: &Errors) {
    if let Type::Never(_) = ty {
        errors.on(
            ty,
            "a task that never returns would hold its slot for ever: return `()`, and let the schedule repeat it",
        );
    } else if let Some(token) = find(ty.to_token_stream(), "impl") {
        let text = ty.to_token_stream().to_string();
        if !is_async && text.contains("Future") {
            errors.on(ty, "a task that returns a future is written as `async fn`, with the future's output as its return type");
        } else {
            errors.at(
                token.span(),
                "what a task returns is recorded by its type, so it cannot be `impl Trait`: name the type, or return `()`",
            );
        }
    }
}
