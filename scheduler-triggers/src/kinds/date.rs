//! Once, at an instant.

use crate::moment::When;
use crate::zone::Zone;

/// Fires once. Without an instant it fires as soon as it is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) at: Option<When>,
    pub(crate) zone: Option<Zone>,
    /// The instant that `at` means in the zone, in microseconds.
    pub(crate) micros: Option<i64>,
}

impl Date {
    pub(crate) fn new(at: Option<When>, zone: Option<Zone>) -> Self {
        let micros = at.map(|at| at.first_micros(zone.unwrap_or(Zone::UTC)));
        Self { at, zone, micros }
    }

    pub(crate) fn next(&self, after: i64) -> Option<i64> {
        self.micros.filter(|at| *at > after)
    }
}
