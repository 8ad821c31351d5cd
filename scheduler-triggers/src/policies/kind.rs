//! The kind of a policy's value, and its bounds.

use std::fmt;
use std::time::Duration;

use super::{Coalesce, Overlap};
use crate::text::duration::{self, format_duration};

/// The kind of a policy's value, and its bounds.
#[derive(Debug, Clone, Copy)]
pub enum PolicyKind {
    /// A duration above zero, or `none` for no limit.
    Limit {
        /// What could never happen within a limit of zero.
        pointless: &'static str,
    },
    /// A duration.
    Duration,
    /// A whole number.
    Count(CountBounds),
    /// `true` or `false`.
    Flag,
    /// A name of 1 to 255 bytes.
    Name,
    /// A [`Coalesce`].
    Coalesce,
    /// An [`Overlap`].
    Overlap,
    /// A [`Backoff`](super::Backoff).
    Backoff,
}

/// The bounds of a count.
#[derive(Debug, Clone, Copy)]
pub struct CountBounds {
    /// The smallest number.
    pub least: u32,
    /// The largest number.
    pub most: u32,
    /// The consequence of a smaller number; empty if only the bounds can be named.
    pub below: &'static str,
    /// What to write in an attribute instead of a smaller number; empty if there is nothing.
    pub instead_in_attribute: &'static str,
    /// What to do elsewhere instead of a smaller number; empty if there is nothing.
    pub instead: &'static str,
}

impl CountBounds {
    /// Any number that fits.
    pub const ANY: Self = Self::of(0, u32::MAX);

    /// Numbers between two bounds, both included.
    pub const fn of(least: u32, most: u32) -> Self {
        Self {
            least,
            most,
            below: "",
            instead_in_attribute: "",
            instead: "",
        }
    }

    /// Returns `true` if the number is within the bounds.
    pub const fn contain(&self, count: u32) -> bool {
        self.least <= count && count <= self.most
    }

    /// Returns why a number out of bounds is rejected, and what to do instead, as `(reason, remedy)`. The reason is
    /// empty if only the bounds can be named.
    pub fn refusal(&self, count: u32, in_attribute: bool) -> (&'static str, String) {
        if count > self.most || self.below.is_empty() {
            return ("", format!("write {self}"));
        }
        let instead = if in_attribute {
            self.instead_in_attribute
        } else {
            self.instead
        };
        let or = if instead.is_empty() { "" } else { ", or " };
        (self.below, format!("write {self}{or}{instead}"))
    }
}

/// Writes the bounds as part of a sentence: "1 or more".
impl fmt::Display for CountBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, u32::MAX) => write!(f, "{least} or more"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

impl PolicyKind {
    /// The longest duration of a policy: the longest one with a text form, in which durations are stored.
    pub const LONGEST: Duration = duration::LONGEST;

    /// Returns why a duration longer than [`LONGEST`](Self::LONGEST) is rejected, and what to do instead; `None` for a
    /// duration that is not too long.
    pub fn too_long(&self, duration: Duration) -> Option<String> {
        if duration <= Self::LONGEST {
            return None;
        }
        let remedy = match self {
            Self::Limit { .. } => {
                "write `none` for no limit, which is the default if it is left out"
            }
            _ => "write a shorter time",
        };
        let longest = format_duration(Self::LONGEST);
        Some(format!(
            "it is longer than `{longest}`, the longest time that can be stored: {remedy}"
        ))
    }

    /// Returns `true` if a value is written as text, in quotes.
    pub const fn is_text(&self) -> bool {
        !matches!(self, Self::Count(_) | Self::Flag)
    }

    /// Returns the allowed form of a value, as a sentence.
    pub fn form(&self) -> String {
        match self {
            Self::Limit { .. } => "A duration such as `5m`, or `none`.".to_owned(),
            Self::Duration => "A duration such as `30s`.".to_owned(),
            Self::Count(bounds) => format!("A whole number, {bounds}."),
            Self::Flag => "`true` or `false`.".to_owned(),
            Self::Name => "A name of 1 to 255 bytes.".to_owned(),
            Self::Coalesce => sentence(Coalesce::FORMS),
            Self::Overlap => sentence(Overlap::FORMS),
            Self::Backoff => "Such as `1s..1m`, or one duration.".to_owned(),
        }
    }
}

fn sentence(forms: &str) -> String {
    format!("One of {forms}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::duration::parse_duration;

    #[test]
    fn longest_duration_is_the_longest_with_a_text() {
        let limit = PolicyKind::Limit { pointless: "" };
        let text = format_duration(PolicyKind::LONGEST);
        assert_eq!(parse_duration(&text), Ok(PolicyKind::LONGEST));
        assert_eq!(limit.too_long(PolicyKind::LONGEST), None);
        let longer = PolicyKind::LONGEST + Duration::from_micros(1);
        assert!(parse_duration(&format_duration(longer)).is_err());
        let refused = limit.too_long(longer).unwrap();
        assert!(
            refused.contains(&text) && refused.contains("`none` for no limit"),
            "{refused}"
        );
        let refused = PolicyKind::Duration.too_long(longer).unwrap();
        assert!(refused.ends_with(": write a shorter time"), "{refused}");
    }

    #[test]
    fn refused_counts_have_advice_for_their_side() {
        let bounds = CountBounds {
            below: "nothing would happen",
            instead_in_attribute: "`paused = true`",
            instead: "pause the job",
            ..CountBounds::of(1, 10)
        };
        let advice = |remedy: &str| ("nothing would happen", remedy.to_owned());
        assert_eq!(
            bounds.refusal(0, true),
            advice("write 1 to 10, or `paused = true`")
        );
        assert_eq!(
            bounds.refusal(0, false),
            advice("write 1 to 10, or pause the job")
        );
        assert_eq!(bounds.refusal(11, true), ("", "write 1 to 10".to_owned()));
        assert!(!bounds.contain(0) && bounds.contain(1));
        assert!(bounds.contain(10) && !bounds.contain(11));
        assert_eq!(CountBounds::of(1, u32::MAX).to_string(), "1 or more");
    }
}
