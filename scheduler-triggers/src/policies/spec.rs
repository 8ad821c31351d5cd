//! The policies as values.

use super::kind::{CountBounds, PolicyKind};

/// The definition of one policy.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PolicySpec {
    /// Its name: the key in attributes and JSON, the builder's method, the field.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: PolicyKind,
    /// Its default, as written in JSON and in attributes: texts in quotes.
    pub default: &'static str,
    /// Sample values, in the same form as the default. The first is the usual one.
    pub samples: &'static [&'static str],
    /// The usual value as an entry of an attribute: `retries = 3`.
    pub entry: &'static str,
    /// What it decides: one sentence.
    pub meaning: &'static str,
    /// The policies that it contradicts.
    pub excludes: &'static [Exclusion],
}

/// Two policies, of which at least one must have its default.
#[derive(Debug, Clone, Copy)]
pub struct Exclusion {
    /// The other policy.
    pub other: &'static str,
    /// Why they contradict each other, and what to do.
    pub problem: &'static str,
}

macro_rules! define {
    ($(
        $(#[$doc:meta])*
        $name:ident($argument:ident: $input:ty): $type:ty = $value:expr;
        kind: $kind:expr;
        default: $default:literal;
        samples: $first:literal $(, $sample:literal)*;
        $(excludes: $other:ident, $problem:literal;)?
        meaning: $meaning:literal;
    )+) => {
        /// Each policy, under its name.
        pub mod named {
            #![allow(non_upper_case_globals)] // named as the policies are

            use super::{CountBounds, Exclusion, PolicyKind, PolicySpec};

            $(
                #[doc = $meaning]
                pub const $name: PolicySpec = PolicySpec {
                    name: stringify!($name),
                    kind: $kind,
                    default: stringify!($default),
                    samples: &[stringify!($first) $(, stringify!($sample))*],
                    entry: concat!(stringify!($name), " = ", stringify!($first)),
                    meaning: $meaning,
                    excludes: &[$(Exclusion {
                        other: stringify!($other),
                        problem: $problem,
                    })?],
                };
            )+
        }

        /// All policies, in the order in which they are listed and written.
        pub const POLICIES: &[PolicySpec] = &[$(named::$name),+];
    };
}

crate::policies!(define);
