//! A zone's offsets from UTC as segments: from one clock change to the next.
//!
//! The time zone data contains past clock changes and a rule for future ones. The searches need a single table of all
//! of them, which is created once per zone and process, and kept.

use std::sync::LazyLock;

/// The segments of constant offset of one zone, all in seconds.
#[derive(Debug)]
pub(crate) struct Offsets {
    /// The start of each segment; the first begins before all time.
    starts: Box<[i64]>,
    /// The offsets east of Greenwich, one per segment.
    east: Box<[i64]>,
    /// The segment at the start of each stretch of 2^23 seconds, so that a lookup needs no search.
    index: Box<[u16]>,
}

/// One stretch of constant offset, with the offset before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) offset: i64,
    /// The offset of the previous segment; the same as `offset` in the first.
    pub(crate) before: i64,
}

/// The instants at which a local time is shown, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instants {
    /// Once, or twice if clocks were put back.
    Shown { first: i64, last: i64 },
    /// Never, since clocks were put forward; `end` is the first instant after the gap.
    Gap { end: i64 },
}

/// Days of margin around the searched years: local time may differ from UTC by up to a day.
const FIRST: i64 = -3 * crate::civil::DAY;
const LAST: i64 = crate::civil::END_OF_YEARS + 3 * crate::civil::DAY;
const STRETCH: u32 = 23;

impl Offsets {
    pub(crate) fn utc() -> &'static Self {
        static UTC: LazyLock<Offsets> = LazyLock::new(|| Offsets::from_changes(0, Vec::new()));
        &UTC
    }

    fn from_changes(first: i64, changes: Vec<(i64, i64)>) -> Self {
        let (starts, east): (Vec<i64>, Vec<i64>) =
            std::iter::once((i64::MIN, first)).chain(changes).unzip();
        let stretches = ((LAST - FIRST) >> STRETCH) + 1;
        let index = (0..stretches)
            .map(|stretch| {
                let at = FIRST + (stretch << STRETCH);
                let segment = starts.partition_point(|start| *start <= at) - 1;
                u16::try_from(segment).unwrap_or(u16::MAX)
            })
            .collect();
        Self {
            starts: starts.into(),
            east: east.into(),
            index,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Returns the index of the segment that contains the instant.
    pub(crate) fn locate(&self, instant: i64) -> usize {
        let last = self.index.len() - 1;
        let stretch = usize::try_from((instant - FIRST).max(0) >> STRETCH).unwrap_or(last);
        let mut at = usize::from(self.index[stretch.min(last)]);
        while at + 1 < self.starts.len() && self.starts[at + 1] <= instant {
            at += 1;
        }
        at
    }

    pub(crate) fn segment(&self, at: usize) -> Segment {
        let offset = self.east[at];
        Segment {
            start: self.starts[at],
            end: self.starts.get(at + 1).copied().unwrap_or(i64::MAX),
            offset,
            before: if at == 0 { offset } else { self.east[at - 1] },
        }
    }

    /// Returns the instants at which a local time is shown.
    pub(crate) fn instants(&self, local: i64) -> Instants {
        let (mut twice, mut gap_end) = (None, local);
        let from = self.locate(local - 2 * crate::civil::DAY);
        for at in from..self.len() {
            let segment = self.segment(at);
            if segment.start != i64::MIN && segment.start > local + 2 * crate::civil::DAY {
                break;
            }
            let instant = local - segment.offset;
            if (segment.start..segment.end).contains(&instant) {
                let (first, _) = twice.unwrap_or((instant, instant));
                twice = Some((first, instant));
            } else if instant < segment.start && local - segment.before >= segment.start {
                gap_end = segment.start;
            }
        }
        match twice {
            Some((first, last)) => Instants::Shown { first, last },
            None => Instants::Gap { end: gap_end },
        }
    }
}

#[cfg(feature = "time-zones")]
impl Offsets {
    /// Returns the table for one zone's data; that of UTC if there is no data.
    pub(crate) fn read(zone: Option<&crate::zone::tzif::Tzif>) -> Self {
        let Some(zone) = zone else {
            return Self::from_changes(0, Vec::new());
        };
        let first = zone.at(FIRST).east;
        let mut offset = first;
        let mut changes = Vec::new();
        for at in zone.changes(FIRST, LAST) {
            let next = zone.at(at).east;
            // Daylight saving time may begin with a change of the name only.
            if next != offset {
                offset = next;
                changes.push((at, next));
            }
        }
        Self::from_changes(first, changes)
    }
}

#[cfg(all(test, feature = "time-zones"))]
mod tests {
    use super::*;
    use crate::zone::Zone;
    use crate::zone::names::ZONE_NAMES;
    use std::collections::HashSet;

    #[allow(clippy::unwrap_used)] // a test
    fn offsets(zone: &str) -> &'static Offsets {
        zone.parse::<Zone>().unwrap().offsets().unwrap()
    }

    /// An invariant on which the searches rely.
    #[test]
    fn segments_are_longer_than_any_change() {
        let mut seen = HashSet::new();
        for zone in ZONE_NAMES {
            let offsets = offsets(zone);
            if !seen.insert((&offsets.starts, &offsets.east)) {
                continue;
            }
            for at in 1..offsets.len() {
                let segment = offsets.segment(at);
                assert!(
                    segment.end - segment.start > 26 * 3600,
                    "{zone} {segment:?}"
                );
                assert!(
                    (segment.offset - segment.before).abs() <= crate::civil::DAY,
                    "{zone}"
                );
            }
        }
    }

    #[test]
    fn local_times_map_to_instants() {
        let berlin = offsets("Europe/Berlin");
        let local = |text: &str| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
                .unwrap()
                .and_utc()
                .timestamp()
        };
        let normal = local("2026-01-01 12:00");
        let once = Instants::Shown {
            first: normal - 3600,
            last: normal - 3600,
        };
        assert_eq!(berlin.instants(normal), once);
        let gap = local("2026-03-29 02:30");
        let after_gap = local("2026-03-29 01:00");
        assert_eq!(berlin.instants(gap), Instants::Gap { end: after_gap });
        let fold = local("2026-10-25 02:30");
        let twice = Instants::Shown {
            first: fold - 7200,
            last: fold - 3600,
        };
        assert_eq!(berlin.instants(fold), twice);
    }

    #[test]
    fn a_lost_day_is_a_gap() {
        let apia = offsets("Pacific/Apia");
        let lost = 15_338 * 86_400; // 2011-12-30
        let found = apia.instants(lost);
        let end = lost + 86_400 - 14 * 3600;
        assert_eq!(found, Instants::Gap { end });
    }
}
