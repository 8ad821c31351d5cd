//! Abbreviations of time zones, and the regions that they may refer to.

use crate::zone::Zone;

/// Abbreviations that are not names of zones.
const MEANINGS: [(&str, &[&str]); 57] = [
    ("PST", &["America/Los_Angeles"]),
    ("PDT", &["America/Los_Angeles"]),
    ("PT", &["America/Los_Angeles"]),
    ("MDT", &["America/Denver"]),
    ("MT", &["America/Denver"]),
    ("CST", &["America/Chicago", "Asia/Shanghai"]),
    ("CDT", &["America/Chicago"]),
    ("CT", &["America/Chicago"]),
    ("EDT", &["America/New_York"]),
    ("ET", &["America/New_York"]),
    ("AST", &["America/Halifax", "Asia/Riyadh"]),
    ("ADT", &["America/Halifax"]),
    ("AKST", &["America/Anchorage"]),
    ("AKDT", &["America/Anchorage"]),
    ("HDT", &["America/Adak"]),
    ("NST", &["America/St_Johns"]),
    ("NDT", &["America/St_Johns"]),
    ("BRT", &["America/Sao_Paulo"]),
    ("ART", &["America/Argentina/Buenos_Aires"]),
    ("CLT", &["America/Santiago"]),
    ("COT", &["America/Bogota"]),
    ("PET", &["America/Lima"]),
    ("VET", &["America/Caracas"]),
    ("CEST", &["Europe/Berlin"]),
    ("MEZ", &["Europe/Berlin"]),
    ("MESZ", &["Europe/Berlin"]),
    ("EEST", &["Europe/Helsinki"]),
    ("WEST", &["Europe/Lisbon"]),
    ("BST", &["Europe/London", "Asia/Dhaka"]),
    ("MSK", &["Europe/Moscow"]),
    ("TRT", &["Europe/Istanbul"]),
    ("IST", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("IDT", &["Asia/Jerusalem"]),
    ("GST", &["Asia/Dubai"]),
    ("PKT", &["Asia/Karachi"]),
    ("NPT", &["Asia/Kathmandu"]),
    ("BDT", &["Asia/Dhaka"]),
    ("ICT", &["Asia/Bangkok"]),
    ("WIB", &["Asia/Jakarta"]),
    ("WITA", &["Asia/Makassar"]),
    ("WIT", &["Asia/Jayapura"]),
    ("SGT", &["Asia/Singapore"]),
    ("HKT", &["Asia/Hong_Kong"]),
    ("PHT", &["Asia/Manila"]),
    ("JST", &["Asia/Tokyo"]),
    ("KST", &["Asia/Seoul"]),
    ("AWST", &["Australia/Perth"]),
    ("ACST", &["Australia/Adelaide", "Australia/Darwin"]),
    ("ACDT", &["Australia/Adelaide"]),
    ("AEST", &["Australia/Sydney", "Australia/Brisbane"]),
    ("AEDT", &["Australia/Sydney"]),
    ("NZST", &["Pacific/Auckland"]),
    ("NZDT", &["Pacific/Auckland"]),
    ("SAST", &["Africa/Johannesburg"]),
    ("WAT", &["Africa/Lagos"]),
    ("EAT", &["Africa/Nairobi"]),
    ("Z", &["UTC"]),
];

/// Names of zones that are abbreviations, with the region that is commonly meant.
const LEGACY: [(Zone, &str, Clocks); 11] = [
    (Zone::EST, "America/New_York", Clocks::NeverChange("UTC-5")),
    (Zone::MST, "America/Denver", Clocks::NeverChange("UTC-7")),
    (Zone::HST, "Pacific/Honolulu", Clocks::AsThere),
    (Zone::EST5EDT, "America/New_York", Clocks::AsThere),
    (Zone::CST6CDT, "America/Chicago", Clocks::AsThere),
    (Zone::MST7MDT, "America/Denver", Clocks::AsThere),
    (Zone::PST8PDT, "America/Los_Angeles", Clocks::AsThere),
    (Zone::CET, "Europe/Berlin", Clocks::AsThere),
    (Zone::MET, "Europe/Berlin", Clocks::AsThere),
    (Zone::EET, "Europe/Helsinki", Clocks::AsThere),
    (Zone::WET, "Europe/Lisbon", Clocks::AsThere),
];

/// How the clocks of a legacy name behave, compared with those of the region.
#[derive(Clone, Copy)]
enum Clocks {
    AsThere,
    /// They stay at this offset, unlike those of the region.
    NeverChange(&'static str),
}

/// Returns the zones that an abbreviation may refer to.
pub(crate) fn meaning(name: &str) -> Option<&'static [&'static str]> {
    let known = MEANINGS.iter();
    known
        .filter(|(short, _)| short.eq_ignore_ascii_case(name))
        .map(|(_, zones)| *zones)
        .next()
}

/// Returns a warning about a zone that is named by an abbreviation, or by an offset with the opposite sign.
pub(crate) fn warning(zone: Zone) -> Option<String> {
    let name = zone.name();
    if let Some((_, region, clocks)) = LEGACY.iter().find(|(legacy, ..)| *legacy == zone) {
        return Some(match clocks {
            Clocks::NeverChange(offset) => format!(
                "`{name}` is {offset} all year round, in summer too: `{region}` is the zone whose clocks \
                 change"
            ),
            Clocks::AsThere => format!(
                "`{name}` is an old name that stays for compatibility: name the region, such as \
                 `{region}`"
            ),
        });
    }
    let offset = name.strip_prefix("Etc/GMT")?;
    let (sign, hours) = match offset.split_at_checked(1)? {
        ("+", hours) => ('-', hours),
        ("-", hours) => ('+', hours),
        _ => return None,
    };
    (hours != "0").then(|| {
        format!("`{name}` is UTC{sign}{hours}: the sign of these names is the other way round")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::names::ZONE_NAMES;

    #[test]
    fn abbreviations_are_no_zones_and_mean_some() {
        for (short, zones) in MEANINGS {
            assert!(!ZONE_NAMES.contains(&short), "{short}");
            for zone in zones {
                assert!(ZONE_NAMES.contains(zone), "{zone}");
            }
        }
        for (_, region, _) in LEGACY {
            assert!(ZONE_NAMES.contains(&region), "{region}");
        }
    }

    /// Compared over a year, in which the clocks of most zones change.
    #[cfg(feature = "time-zones")]
    #[test]
    fn legacy_names_and_regions_go_together() {
        for (legacy, region, clocks) in LEGACY {
            let region: Zone = region.parse().unwrap();
            let (legacy, region) = (legacy.offsets().unwrap(), region.offsets().unwrap());
            let offset = |offsets: &crate::zone::offsets::Offsets, at: i64| {
                offsets.segment(offsets.locate(at)).offset
            };
            let days = (20_454..20_819).map(|day| day * 86_400);
            let same = days
                .filter(|at| offset(legacy, *at) == offset(region, *at))
                .count();
            match clocks {
                Clocks::AsThere => assert_eq!(same, 365),
                Clocks::NeverChange(_) => assert!((100..200).contains(&same), "{same}"),
            }
        }
    }

    #[test]
    fn signs_of_offsets_are_said() {
        assert_eq!(
            warning("Etc/GMT+8".parse().unwrap()).unwrap(),
            "`Etc/GMT+8` is UTC-8: the sign of these names is the other way round"
        );
        for zone in ["Etc/GMT", "Etc/GMT+0", "Etc/GMT0", "UTC", "Europe/Berlin"] {
            assert_eq!(warning(zone.parse().unwrap()), None, "{zone}");
        }
    }
}
