//! Policies as calls of `PolicyPatch`'s builder, with parsed values.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use scheduler_triggers::policies::{Coalesce, Overlap};

use crate::attr::{Policy, PolicyValue};

/// Generates a function that returns the policies.
pub(super) fn function(p: &TokenStream, policies: &[Policy]) -> TokenStream {
    let calls = policies.iter().map(|policy| {
        let name = Ident::new(policy.name, Span::call_site());
        let value = value(p, &policy.value);
        quote!(.#name(#value))
    });
    quote!(|| #p::PolicyPatch::new() #(#calls)*)
}

fn value(p: &TokenStream, value: &PolicyValue) -> TokenStream {
    match value {
        PolicyValue::Limit(None) => quote!(#p::Option::None),
        PolicyValue::Limit(Some(limit)) => {
            let limit = duration(p, *limit);
            quote!(#p::Option::Some(#limit))
        }
        PolicyValue::Duration(time) => duration(p, *time),
        PolicyValue::Count(count) => quote!(#count),
        PolicyValue::Flag(flag) => quote!(#flag),
        PolicyValue::Name(name) => quote!(#name),
        PolicyValue::Coalesce(Coalesce::Latest) => quote!(#p::Coalesce::Latest),
        PolicyValue::Coalesce(Coalesce::Earliest) => quote!(#p::Coalesce::Earliest),
        PolicyValue::Coalesce(Coalesce::All(count)) => quote!(#p::Coalesce::All(#count)),
        PolicyValue::Overlap(Overlap::Skip) => quote!(#p::Overlap::Skip),
        PolicyValue::Overlap(Overlap::Queue(count)) => quote!(#p::Overlap::Queue(#count)),
        PolicyValue::Overlap(Overlap::CancelRunning) => quote!(#p::Overlap::CancelRunning),
        PolicyValue::Backoff(backoff) => {
            let (first, max) = backoff.bounds();
            let (first, max) = (duration(p, first), duration(p, max));
            quote!(#p::Backoff::exponential(#first, #max))
        }
    }
}

fn duration(p: &TokenStream, duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(#p::Duration::new(#seconds, #nanos))
}
