//! The options of a trigger: zone, start, end, gap, fold.

use std::fmt;

use crate::bounds::Bounds;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};

pub(crate) const KEYS: [&str; 8] = [
    "timezone",
    "start",
    "start_date",
    "end",
    "end_date",
    "gap",
    "fold",
    "time",
];

/// The options that any trigger may have.
pub(crate) struct Options {
    pub(crate) zone: Option<Zone>,
    pub(crate) bounds: Bounds,
    pub(crate) gap: Option<Gap>,
    pub(crate) fold: Option<Fold>,
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl Options {
    pub(crate) const NONE: Self = Self {
        zone: None,
        bounds: Bounds::NONE,
        gap: None,
        fold: None,
    };

    /// Writes the options as they follow the text form.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(zone) = self.zone {
            write!(f, " timezone={zone}")?;
        }
        if let Some(start) = self.bounds.start {
            write!(f, " start={start}")?;
        }
        if let Some(end) = self.bounds.end {
            write!(f, " end={end}")?;
        }
        if let Some(gap) = self.gap {
            write!(f, " gap={}", gap.name())?;
        }
        if let Some(fold) = self.fold {
            write!(f, " fold={}", fold.name())?;
        }
        Ok(())
    }
}
