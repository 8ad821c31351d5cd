//! Selecting the records of skipped fire times to list, and paging through them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hash::Fnv1a;
use crate::page::Page;
use crate::skipped::{SkipReason, Skipped};

/// The default page length.
const DEFAULT_LIMIT: usize = 100;

/// The number of records that one page searches for certain reasons.
const LOOKED_THROUGH: usize = 5_000;

/// Selects the records of skipped fire times to list: by default all of them, newest first.
///
/// ```
/// use chrono::TimeDelta;
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::VirtualClock;
/// use scheduler_core::{SkipReason, SkippedFilter};
///
/// #[task]
/// async fn crawl_slowly() {
///     tokio::time::sleep(std::time::Duration::from_secs(210)).await;
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
/// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
/// # let scheduler = builder.start().await?;
/// // A run takes longer than the interval, and one at once is allowed.
/// scheduler.add_job(crawl_slowly::job().id("crawl").interval("1m")).await?;
/// clock.advance(TimeDelta::minutes(4)).await;
///
/// let filter = SkippedFilter::new().job("crawl").reason(SkipReason::Overlap).limit(2);
/// let page = scheduler.list_skipped(&filter).await?;
/// assert_eq!(page.items.len(), 2); // 00:04 and 00:03
/// let next = page.next.ok_or("there is one more")?;
/// let last = scheduler.list_skipped(&filter.before(next)).await?;
/// assert_eq!((last.items.len(), last.next), (1, None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SkippedFilter {
    /// Only fire times of this job.
    pub job: Option<String>,
    /// Only fire times skipped for one of these reasons; if empty, for any reason.
    pub reasons: Vec<SkipReason>,
    /// Only records that are older than this.
    pub before: Option<SkippedCursor>,
    /// The maximum number of records; see [`limit`](Self::limit).
    pub limit: Option<usize>,
}

impl SkippedFilter {
    /// Lists every record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only fire times of this job.
    #[must_use]
    pub fn job(mut self, id: impl Into<String>) -> Self {
        self.job = Some(id.into());
        self
    }

    /// Lists only fire times skipped for this reason. Further calls allow further reasons.
    ///
    /// One page searches at most 5,000 records, or as many as its limit: it may have fewer items than its limit, or
    /// none, and still not be the last one.
    #[must_use]
    pub fn reason(mut self, reason: SkipReason) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Lists only older records: the next page after the one with this cursor.
    #[must_use]
    pub fn before(mut self, cursor: SkippedCursor) -> Self {
        self.before = Some(cursor);
        self
    }

    /// Sets the maximum number of records per page: 100 by default, at least one; `usize::MAX` puts all records into
    /// one page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns the maximum number of items in a page.
    fn page_size(&self) -> usize {
        // A page without any items might be mistaken for the end of the list.
        self.limit.unwrap_or(DEFAULT_LIMIT).max(1)
    }

    /// Returns the maximum number of records that a page searches.
    fn looked_through(&self) -> usize {
        let size = self.page_size();
        if self.reasons.is_empty() {
            size
        } else {
            size.max(LOOKED_THROUGH)
        }
    }

    /// Returns how many records of each store a page needs. One more than it searches shows if the list continues.
    pub(crate) fn needed(&self) -> usize {
        self.looked_through().saturating_add(1)
    }

    fn allows(&self, skipped: &Skipped) -> bool {
        self.reasons.is_empty() || self.reasons.contains(&skipped.reason)
    }
}

/// The position at which a list of skipped fire times continues; see [`SkippedFilter::before`].
///
/// It identifies a record by its number in its store, so that records of the same instant are neither repeated nor
/// omitted. Its text form is hexadecimal digits, which the HTTP API uses.
///
/// ```
/// use scheduler_core::SkippedCursor;
///
/// let text = "a2e2f5f0b1f8c7d600000000000004d2";
/// let cursor: SkippedCursor = text.parse()?;
/// assert_eq!(cursor.to_string(), text);
/// assert!("yesterday".parse::<SkippedCursor>().is_err());
/// # Ok::<(), scheduler_core::InvalidCursor>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkippedCursor(Vec<Position>);

/// A position in one store: the numbers of all remaining records are below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Position {
    /// The hash of the store's name, because names may contain any character and the cursor is used in URLs.
    store: u64,
    below: u64,
}

/// The number of hexadecimal digits of one position.
const DIGITS: usize = 32;

fn hash(store: &str) -> u64 {
    Fnv1a::new().bytes(store.as_bytes()).finish()
}

impl SkippedCursor {
    /// Returns the number below which the list of this store continues, or `None` if the cursor does not contain the
    /// store.
    pub(crate) fn below(&self, store: &str) -> Option<u64> {
        let store = hash(store);
        let found = self.0.iter().find(|position| position.store == store);
        found.map(|position| position.below)
    }
}

impl fmt::Display for SkippedCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Position { store, below } in &self.0 {
            write!(f, "{store:016x}{below:016x}")?;
        }
        Ok(())
    }
}

/// The error for a text that is not a cursor of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a cursor: give `next` of the page before")]
#[non_exhaustive]
pub struct InvalidCursor;

impl FromStr for SkippedCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.is_empty() || !text.len().is_multiple_of(DIGITS) || !is_hexadecimal {
            return Err(InvalidCursor);
        }
        let number = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| InvalidCursor);
        let mut positions = Vec::new();
        let mut rest = text;
        while let Some((position, after)) = rest.split_at_checked(DIGITS) {
            let (store, below) = position.split_at(DIGITS / 2);
            positions.push(Position {
                store: number(store)?,
                below: number(below)?,
            });
            rest = after;
        }
        Ok(Self(positions))
    }
}

impl TryFrom<String> for SkippedCursor {
    type Error = InvalidCursor;

    fn try_from(text: String) -> Result<Self, InvalidCursor> {
        text.parse()
    }
}

impl From<SkippedCursor> for String {
    fn from(cursor: SkippedCursor) -> Self {
        cursor.to_string()
    }
}

/// The records of one store that a page may need, newest first.
#[derive(Debug)]
pub(crate) struct Part {
    position: Position,
    /// In reverse order, so the next one is the last.
    records: Vec<(u64, Skipped)>,
}

impl Part {
    /// Creates the part of one store. `below` is where its list continues, or `None` at the beginning.
    pub(crate) fn new(store: &str, below: Option<u64>, mut records: Vec<(u64, Skipped)>) -> Self {
        // A list that begins is bounded by its current newest record, even if others are added meanwhile.
        let newest = records.first().map_or(0, |(seq, _)| *seq);
        let position = Position {
            store: hash(store),
            below: below.unwrap_or_else(|| newest.saturating_add(1)),
        };
        records.reverse();
        Self { position, records }
    }

    fn next(&self) -> Option<&Skipped> {
        self.records.last().map(|(_, skipped)| skipped)
    }

    fn take(&mut self) -> Option<Skipped> {
        let (seq, skipped) = self.records.pop()?;
        self.position.below = seq;
        Some(skipped)
    }
}

/// Creates a page from the records of all stores. Of the next record in each store, it takes the one that was decided
/// last.
pub(crate) fn page(filter: &SkippedFilter, mut parts: Vec<Part>) -> Page<Skipped, SkippedCursor> {
    let mut items = Vec::new();
    for _ in 0..filter.looked_through() {
        let newest = parts
            .iter_mut()
            .rev() // of equal ones, `max_by_key` finds the last
            .filter(|part| part.next().is_some())
            .max_by_key(|part| part.next().map(|skipped| skipped.decided_at));
        let Some(skipped) = newest.and_then(Part::take) else {
            break;
        };
        if filter.allows(&skipped) {
            items.push(skipped);
        }
        if items.len() >= filter.page_size() {
            break;
        }
    }
    let goes_on = parts.iter().any(|part| part.next().is_some());
    let next = || SkippedCursor(parts.iter().map(|part| part.position).collect());
    Page {
        items,
        next: goes_on.then(next),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use scheduler_triggers::Count;

    use super::*;
    use crate::id::JobId;
    use crate::skipped::SkippedTimes;

    type Records = Vec<(u64, Skipped)>;

    /// Creates records from (number, second of the decision), newest first.
    fn records(job: &str, list: &[(u64, i64)], reason: SkipReason) -> Records {
        let record = |&(seq, second): &(u64, i64)| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
            let count = Count {
                value: seq,
                exact: true,
            };
            let times = SkippedTimes {
                reason,
                first: at,
                last: at,
                count,
            };
            (seq, Skipped::new(JobId::new(job).unwrap(), times, at))
        };
        list.iter().map(record).collect()
    }

    /// Returns the answers of stores with these records for the next page.
    fn parts(stores: &[(&str, Records)], filter: &SkippedFilter) -> Vec<Part> {
        let part = |(name, records): &(&str, Records)| {
            let below = filter.before.as_ref().and_then(|cursor| cursor.below(name));
            let records = records
                .iter()
                .filter(|(seq, _)| below.is_none_or(|below| *seq < below));
            Part::new(
                name,
                below,
                records.take(filter.needed()).cloned().collect(),
            )
        };
        stores.iter().map(part).collect()
    }

    /// Returns all pages, each as the jobs and numbers of its records.
    fn pages(stores: &[(&str, Records)], mut filter: SkippedFilter) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        loop {
            let page = page(&filter, parts(stores, &filter));
            let name = |one: &Skipped| format!("{}{}", one.job_id, one.count);
            pages.push(page.items.iter().map(name).collect());
            let Some(next) = page.next else { return pages };
            // The cursor survives serialization, as in a URL.
            filter = filter.before(next.to_string().parse().unwrap());
        }
    }

    #[test]
    fn paging_continues_within_records_of_one_instant() {
        let records = records(
            "a",
            &[(5, 1), (4, 1), (3, 1), (2, 1), (1, 1)],
            SkipReason::Overlap,
        );
        for size in 1..7 {
            let filter = SkippedFilter::new().limit(size);
            let pages = pages(&[("default", records.clone())], filter);
            assert_eq!(pages.len(), 5_usize.div_ceil(size));
            assert_eq!(pages.concat(), ["a5", "a4", "a3", "a2", "a1"], "{size}");
        }
    }

    #[test]
    fn stores_are_merged_by_instant_and_keep_their_own_order() {
        let stores = [
            ("empty", Vec::new()),
            // A clock went back between 2 and 3.
            (
                "left",
                records("l", &[(3, 5), (2, 9), (1, 2)], SkipReason::Missed),
            ),
            (
                "right",
                records("r", &[(8, 9), (7, 5), (6, 5), (5, 1)], SkipReason::Missed),
            ),
        ];
        for size in 1..9 {
            let pages = pages(&stores, SkippedFilter::new().limit(size));
            assert_eq!(
                pages.concat(),
                ["r8", "l3", "l2", "r7", "r6", "l1", "r5"],
                "{size}"
            );
        }
    }

    #[test]
    fn records_added_between_two_pages_are_not_in_later_pages() {
        let old = records("l", &[(3, 3), (2, 2)], SkipReason::Missed);
        let stores = [
            ("empty", Vec::new()),
            ("left", old),
            ("right", records("r", &[(1, 1)], SkipReason::Missed)),
        ];
        let filter = SkippedFilter::new().limit(1);
        let first = page(&filter, parts(&stores, &filter));
        let later = [
            ("empty", records("e", &[(1, 9)], SkipReason::Missed)),
            (
                "left",
                records("l", &[(4, 9), (3, 3), (2, 2)], SkipReason::Missed),
            ),
            ("right", records("r", &[(2, 9), (1, 1)], SkipReason::Missed)),
        ];
        let rest = pages(&later, filter.before(first.next.unwrap()));
        assert_eq!(rest.concat(), ["l2", "r1"]);
    }

    #[test]
    fn page_for_a_reason_stops_after_many_records_and_continues() {
        let many: Vec<(u64, i64)> = (2..=12_000).rev().map(|seq| (seq, 7)).collect();
        let mut list = records("m", &many, SkipReason::Overlap);
        list.extend(records("x", &[(1, 7)], SkipReason::Missed));
        let filter = SkippedFilter::new().reason(SkipReason::Missed).limit(10);
        let pages = pages(&[("default", list)], filter);
        assert_eq!(pages, [vec![], vec![], vec!["x1".to_owned()]]);
    }

    #[test]
    fn other_texts_are_not_cursors() {
        let digits = "0".repeat(DIGITS);
        for text in [
            "",
            "1",
            "+",
            &digits[1..],
            &format!("{}g", &digits[1..]),
            &format!("+{}", &digits[1..]),
        ] {
            assert_eq!(text.parse::<SkippedCursor>(), Err(InvalidCursor), "{text}");
        }
        assert!(digits.parse::<SkippedCursor>().is_ok());
    }
}
