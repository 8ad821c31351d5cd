//! The options of any trigger: its zone, its bounds, and its behaviour at clock changes.

use crate::bounds::Bounds;
use crate::describe::wording::{date_and_time, date_of};
use crate::moment::When;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};

pub(crate) fn describe_zone(zone: Zone) -> String {
    format!(" in {zone}")
}

pub(crate) fn describe_bounds(bounds: &Bounds) -> String {
    let mut text = String::new();
    if let Some(start) = bounds.start {
        text.push_str(&format_bound(", from ", start));
    }
    match bounds.end {
        // A date includes the whole day.
        Some(end @ When::Date(_)) => text.push_str(&format_bound(", until the end of ", end)),
        Some(end) => text.push_str(&format_bound(", until ", end)),
        None => {}
    }
    text
}

fn format_bound(lead: &str, when: When) -> String {
    match when {
        When::Instant(_) => format!("{lead}{} UTC", date_and_time(when.rough())),
        When::Wall(wall) => format!("{lead}{}", date_and_time(wall)),
        When::Date(_) => format!("{lead}{}", date_of(when.rough())),
    }
}

/// Describes the behaviour at clock changes if it differs from what a reader expects: that times of day run late and
/// only once, and that intervals follow the clock.
pub(crate) fn describe_clock_changes(gap: Gap, fold: Fold, is_frequency: bool) -> String {
    let mut text = String::new();
    match (gap, is_frequency) {
        (Gap::Skip, false) => {
            text.push_str("; a time that the clocks skip is left out");
        }
        (Gap::Next, true) => {
            text.push_str("; times that the clocks skip are made up for once, right after");
        }
        _ => {}
    }
    match (fold, is_frequency) {
        (Fold::Both, false) => {
            text.push_str("; a time that the clocks show twice counts both times");
        }
        (Fold::First, true) => {
            text.push_str("; times that the clocks show twice count the first time only");
        }
        _ => {}
    }
    text
}
