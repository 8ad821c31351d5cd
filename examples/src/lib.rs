//! The examples are the programs in `src/bin`; each says in its first line how to run it.

// The code in the README is compiled with every `cargo test --doc`.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
