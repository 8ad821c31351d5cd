//! Ids of jobs and of runs.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, NameKind};
use crate::random::random_u64;

/// The maximum length of an id or name, in bytes.
pub(crate) const MAX_NAME_BYTES: usize = 255;

/// The id of a job: 1 to 255 bytes of printable UTF-8. Cheap to clone.
///
/// Compares with `str`, and maps with `JobId` keys can be looked up by `&str`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Arc<str>);

impl JobId {
    /// Validates and creates an id.
    ///
    /// # Errors
    /// Returns [`Error::InvalidName`] if it is empty, too long, or contains a character that cannot be printed.
    ///
    /// ```
    /// use scheduler_core::JobId;
    ///
    /// assert!(JobId::new("reminder-42").is_ok());
    /// assert!(JobId::new("").is_err());
    /// ```
    pub fn new(id: impl Into<Arc<str>>) -> Result<Self, Error> {
        let id = id.into();
        check_name(NameKind::Job, &id)?;
        Ok(Self(id))
    }

    /// Returns the id's text.
    ///
    /// ```
    /// use scheduler_core::JobId;
    ///
    /// let id = JobId::new("reminder-42")?;
    /// assert_eq!(id.as_str(), "reminder-42");
    /// assert_eq!(id, "reminder-42");
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks an id or a name against the limits of every store.
pub(crate) fn check_name(what: NameKind, name: &str) -> Result<(), Error> {
    match name_problem(name) {
        None => Ok(()),
        Some(problem) => Err(Error::InvalidName {
            what,
            name: name.chars().take(80).collect(),
            problem,
        }),
    }
}

/// Returns what is wrong with an id or a name.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("it is empty: give 1 to 255 bytes".to_owned())
    } else if name.len() > MAX_NAME_BYTES {
        let length = name.len();
        Some(format!(
            "it has {length} bytes: give at most {MAX_NAME_BYTES}"
        ))
    } else {
        let character = name.chars().find(|c| c.is_control())?;
        Some(format!(
            "it contains {character:?}, which cannot be printed"
        ))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl std::borrow::Borrow<str> for JobId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for JobId {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for JobId {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The id of a run: unique across all nodes, and ordered by creation on each node.
///
/// The text is a UUID, of version 8 when [`RunIds`] created it.
///
/// ```
/// use scheduler_core::RunId;
///
/// let id: RunId = "019b76da-a800-8000-8000-000000000001".parse()?;
/// assert_eq!(RunId::from_u128(id.as_u128()), id);
/// assert_eq!(id.to_string(), "019b76da-a800-8000-8000-000000000001");
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(u128);

/// A map with run ids as keys.
pub(crate) type RunMap<V> = HashMap<RunId, V, BuildHasherDefault<RunIdHasher>>;

/// A set of run ids.
pub(crate) type RunSet = HashSet<RunId, BuildHasherDefault<RunIdHasher>>;

/// Run ids are never chosen from outside. Those of one node differ in their counters, and those of two nodes in the
/// rest, so one multiplication distinguishes nearly all of them.
#[derive(Debug, Default)]
pub(crate) struct RunIdHasher(u64);

impl Hasher for RunIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u128(u128::from(self.0) << 8 | u128::from(*byte));
        }
    }

    #[allow(clippy::cast_possible_truncation)] // both halves are taken
    fn write_u128(&mut self, id: u128) {
        let folded = (id as u64) ^ ((id >> 64) as u64);
        self.0 = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl RunId {
    /// Returns the id as a number, for stores.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// Creates an id from a stored number. Every number is valid.
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }
}

/// Formats as a UUID.
impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        f.write_str(&parts.join("-"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RunId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        u128::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| digits.len() == 32)
            .map(Self)
            .ok_or_else(|| Error::InvalidName {
                what: NameKind::Run,
                name: text.chars().take(80).collect(),
                problem: "it is no 32 hexadecimal digits".into(),
            })
    }
}

impl Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Generates run ids: milliseconds, then the node, then a counter.
///
/// For tests of stores; a scheduler has its own generator.
///
/// ```
/// use scheduler_core::RunIds;
///
/// let ids = RunIds::new(1);
/// let now = "2026-01-01T00:00:00Z".parse()?;
/// assert!(ids.next(now) < ids.next(now));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug)]
pub struct RunIds {
    node: u64,
    counter: std::sync::atomic::AtomicU64,
}

const NODE_BITS: u32 = 36;
const COUNTER_BITS: u32 = 38;

impl RunIds {
    /// Creates a generator for one node, identified by `node` (of which the low 36 bits are kept).
    pub fn new(node: u64) -> Self {
        Self {
            node: node & ((1 << NODE_BITS) - 1),
            counter: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// Creates a generator for a process, identified by 36 random bits of the operating system.
    pub fn random() -> Self {
        Self::new(random_u64())
    }

    /// Generates the next id, for this instant.
    pub fn next(&self, now: chrono::DateTime<chrono::Utc>) -> RunId {
        let millis = u128::from(now.timestamp_millis().max(0).unsigned_abs()) & ((1 << 48) - 1);
        let count = self
            .counter
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            & ((1 << COUNTER_BITS) - 1);
        // The six fixed bits of a version 8 UUID are in between: 48 ms, 4 version, 12 node, 2 variant, 24 node, 38
        // counter.
        let node = u128::from(self.node);
        RunId(
            (millis << 80)
                | (0x8 << 76)
                | ((node >> 24) << 64)
                | (0b10 << 62)
                | ((node & 0xff_ffff) << COUNTER_BITS)
                | u128::from(count),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_ids_are_accepted_and_others_refused() {
        for good in [
            "a",
            "每日报告",
            "'; drop table jobs; --",
            &"x".repeat(255),
            "a b/c?d=%20",
        ] {
            assert!(JobId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a\nb", "a\0", &"é".repeat(128)] {
            assert!(
                matches!(JobId::new(bad), Err(Error::InvalidName { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn run_ids_are_ordered_unique_uuids_of_version_8() {
        let ids = RunIds::new(u64::MAX);
        let first = ids.next(chrono::DateTime::from_timestamp_millis(1_000).unwrap());
        let second = ids.next(chrono::DateTime::from_timestamp_millis(1_000).unwrap());
        let third = ids.next(chrono::DateTime::from_timestamp_millis(1_001).unwrap());
        assert!(first < second && second < third);
        let hash = |id: RunId| std::hash::BuildHasher::hash_one(RunSet::default().hasher(), id);
        assert!(hash(first) != hash(second) && hash(second) != hash(third));
        let text = first.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "8");
        assert_eq!(text.parse::<RunId>().unwrap(), first);
        assert!("8".parse::<RunId>().is_err());
    }
}
