//! A program that uses its own SQLite keeps its jobs in PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program, which has its own lock file.
fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../beside_rusqlite")
}

#[test]
fn a_program_with_the_newest_rusqlite_builds_with_the_postgres_store() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside_rusqlite");
    let output = Command::new(cargo)
        // Cargo already refuses two crates that link `sqlite3` at this point.
        .args(["check", "--locked", "--quiet", "--manifest-path"])
        .arg(program().join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{stderr}\nwhere dependencies have changed, \
         `cargo update -w --manifest-path tests/beside_rusqlite/Cargo.toml` updates its lock file"
    );
}

#[test]
fn the_postgres_store_alone_brings_no_sqlite() {
    let lock = std::fs::read_to_string(program().join("Cargo.lock")).unwrap();
    let named = |name: &str| lock.lines().filter(|line| *line == name).count();
    assert_eq!(named(r#"name = "sqlx-postgres""#), 1);
    assert_eq!(named(r#"name = "sqlx-sqlite""#), 0);
    // The one of rusqlite.
    assert_eq!(named(r#"name = "libsqlite3-sys""#), 1);
}
