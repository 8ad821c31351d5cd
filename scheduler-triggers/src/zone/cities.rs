//! Cities and countries without a time zone of their own name.

/// In lower case, with the zone that they use.
pub(super) const CITIES: [(&str, &str); 46] = [
    ("abu_dhabi", "Asia/Dubai"),
    ("abuja", "Africa/Lagos"),
    ("ankara", "Europe/Istanbul"),
    ("atlanta", "America/New_York"),
    ("bangalore", "Asia/Kolkata"),
    ("barcelona", "Europe/Madrid"),
    ("basel", "Europe/Zurich"),
    ("beijing", "Asia/Shanghai"),
    ("bengaluru", "Asia/Kolkata"),
    ("bern", "Europe/Zurich"),
    ("boston", "America/New_York"),
    ("brasilia", "America/Sao_Paulo"),
    ("cape_town", "Africa/Johannesburg"),
    ("capetown", "Africa/Johannesburg"),
    ("chennai", "Asia/Kolkata"),
    ("china", "Asia/Shanghai"),
    ("cologne", "Europe/Berlin"),
    ("dallas", "America/Chicago"),
    ("delhi", "Asia/Kolkata"),
    ("edinburgh", "Europe/London"),
    ("france", "Europe/Paris"),
    ("frankfurt", "Europe/Berlin"),
    ("geneva", "Europe/Zurich"),
    ("germany", "Europe/Berlin"),
    ("hamburg", "Europe/Berlin"),
    ("hanoi", "Asia/Ho_Chi_Minh"),
    ("houston", "America/Chicago"),
    ("india", "Asia/Kolkata"),
    ("islamabad", "Asia/Karachi"),
    ("italy", "Europe/Rome"),
    ("korea", "Asia/Seoul"),
    ("kyoto", "Asia/Tokyo"),
    ("manchester", "Europe/London"),
    ("miami", "America/New_York"),
    ("milan", "Europe/Rome"),
    ("mumbai", "Asia/Kolkata"),
    ("munich", "Europe/Berlin"),
    ("new_delhi", "Asia/Kolkata"),
    ("osaka", "Asia/Tokyo"),
    ("ottawa", "America/Toronto"),
    ("pretoria", "Africa/Johannesburg"),
    ("rio", "America/Sao_Paulo"),
    ("san_francisco", "America/Los_Angeles"),
    ("seattle", "America/Los_Angeles"),
    ("spain", "Europe/Madrid"),
    ("wellington", "Pacific/Auckland"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::names::ZONE_NAMES;

    #[test]
    fn cities_lie_in_zones() {
        assert!(CITIES.is_sorted());
        for (city, zone) in CITIES {
            assert!(ZONE_NAMES.contains(&zone), "{zone}");
            let named = |known: &&str| known.to_ascii_lowercase().ends_with(&format!("/{city}"));
            assert!(!ZONE_NAMES.iter().any(named), "{city}");
        }
    }
}
