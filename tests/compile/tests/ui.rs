//! Every mistake that the macros detect, as its author would read it.
//!
//! Each `ui/fail/*.rs` contains one mistake, and `*.stderr` what the compiler says about it; `ui/pass` contains code
//! that must compile. After a change of messages, run
//! `TRYBUILD=overwrite cargo nextest run -p scheduler-compile-tests`, then read the diff.

use std::process::Command;

/// Messages differ between compiler versions; these come from this one.
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
