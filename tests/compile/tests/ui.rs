//! Every mistake that the macros can tell, as its author would read it.
//!
//! `ui/fail/*.rs` holds one mistake each, `*.stderr` what the compiler says about it; `ui/pass`
//! holds what must compile. After a change of messages:
//! `TRYBUILD=overwrite cargo nextest run -p scheduler-compile-tests`, then read the difference.

use std::process::Command;

/// Messages differ from one compiler to the next; these were made by this one.
const TOOLCHAIN: &str = "1.95.";

#[test]
fn ui() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    if !version.starts_with(&format!("rustc {TOOLCHAIN}")) {
        let told = format!("UI TESTS NOT RUN: they need Rust {TOOLCHAIN}x, this is {version}");
        assert!(std::env::var_os("REQUIRE_UI").is_none(), "{told}");
        println!("{told}");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
