//! Instants as text.

use chrono::{DateTime, SecondsFormat};

/// Returns the text of an instant in microseconds.
pub(super) fn instant(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(
        || format!("{micros} us"),
        |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

/// Returns the text of the first few instants.
pub(super) fn some(instants: &[i64]) -> String {
    let shown: Vec<_> = instants.iter().take(5).map(|at| instant(*at)).collect();
    let more = if instants.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}
