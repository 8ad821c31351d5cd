//! The first and the last instant at which a trigger may fire.

use crate::error::TriggerError;
use crate::moment::When;
use crate::zone::Zone;

/// The start or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Start,
    End,
}

impl Bound {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// `start` and `end` as written, and the instants that they mean in the trigger's zone, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start: Option<When>,
    pub(crate) end: Option<When>,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Bounds {
    pub(crate) const NONE: Self = Self {
        start: None,
        end: None,
        from: i64::MIN,
        until: i64::MAX,
    };

    pub(crate) fn new(
        start: Option<When>,
        end: Option<When>,
        zone: Zone,
    ) -> Result<Self, TriggerError> {
        let bounds = Self {
            start,
            end,
            from: start.map_or(i64::MIN, |start| start.first_micros(zone)),
            until: end.map_or(i64::MAX, |end| end.last_micros(zone)),
        };
        match (start, end) {
            (Some(start), Some(end)) if bounds.until < bounds.from => Err(end_first(start, end)),
            _ => Ok(bounds),
        }
    }

    /// Returns these bounds with another start or end, read in a zone.
    pub(crate) fn with(
        self,
        bound: Bound,
        at: When,
        zone: Option<Zone>,
    ) -> Result<Self, TriggerError> {
        let (start, end) = match bound {
            Bound::Start => (Some(at), self.end),
            Bound::End => (self.start, Some(at)),
        };
        Self::new(start, end, zone.unwrap_or(Zone::UTC))
    }

    /// Returns `true` if a second is within the bounds.
    pub(crate) fn allow(&self, second: i64) -> bool {
        (self.from..=self.until).contains(&second.saturating_mul(1_000_000))
    }

    pub(crate) fn needs_zone(&self) -> bool {
        [self.start, self.end]
            .into_iter()
            .flatten()
            .any(When::needs_zone)
    }
}

pub(crate) fn end_first(
    start: impl std::fmt::Display,
    end: impl std::fmt::Display,
) -> TriggerError {
    TriggerError::new(format!(
        "the end `{end}` lies before the start `{start}`, so the trigger would never fire"
    ))
    .in_field("end")
}
