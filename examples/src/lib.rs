//! The examples are the programs in `src/bin`; the first line of each says how to run it.

// The code in the README and in the guide is compiled, and run unless it says `no_run`, with every `cargo test --doc`.
// The test `guide` fails if a page with code is missing here.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/getting-started.md")]
struct GettingStarted;

#[cfg(doctest)]
#[doc = include_str!("../../docs/triggers.md")]
struct Triggers;

#[cfg(doctest)]
#[doc = include_str!("../../docs/stores.md")]
struct Stores;

#[cfg(doctest)]
#[doc = include_str!("../../docs/web.md")]
struct Web;

#[cfg(doctest)]
#[doc = include_str!("../../docs/testing.md")]
struct Testing;
