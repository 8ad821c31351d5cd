//! A batch as one JSON text: an array of arrays, whose fields a statement takes by position.

use crate::sqlx;
use serde::Serialize;

/// Returns the text of these rows. They consist of numbers and texts, which JSON can always represent.
pub(super) fn rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> String {
    let rows: Vec<T> = rows.into_iter().collect();
    serde_json::to_string(&rows).unwrap_or_default()
}

/// Returns an id for JSON; statements convert it back with `unhex`.
pub(super) fn hex(id: u128) -> String {
    format!("{id:032x}")
}

/// Returns the text of these ids.
pub(super) fn ids(ids: &[u128]) -> String {
    rows(ids.iter().map(|id| hex(*id)))
}

/// Returns an id from its stored form.
pub(super) fn id(bytes: &[u8]) -> Result<u128, sqlx::Error> {
    let bytes: [u8; 16] = bytes
        .try_into()
        .map_err(|_| sqlx::Error::Decode("a run id has 16 bytes".into()))?;
    Ok(u128::from_be_bytes(bytes))
}
