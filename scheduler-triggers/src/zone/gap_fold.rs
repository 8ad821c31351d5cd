//! The handling of fire times at clock changes, and the search that applies it.

use std::str::FromStr;

use crate::civil::{DAY, END_OF_YEARS};
use crate::error::TriggerError;
use crate::suggest;
use crate::zone::offsets::Offsets;

/// How a fire time is handled that does not exist because clocks were put forward.
///
/// ```
/// use scheduler_triggers::{Gap, Trigger};
/// let trigger = Trigger::cron("30 2 * * *")?.timezone_name("Europe/Berlin")?.gap(Gap::Skip)?;
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// It fires at the first instant after the gap: 02:30 at 03:00.
    Next,
    /// It does not fire.
    Skip,
}

/// How a fire time is handled that occurs twice because clocks were put back.
///
/// ```
/// use scheduler_triggers::{Fold, Trigger};
/// let trigger = Trigger::cron("30 2 * * *")?.timezone_name("Europe/Berlin")?.fold(Fold::Both)?;
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Only the first of the two fires.
    First,
    /// Both fire.
    Both,
}

impl Gap {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Skip => "skip",
        }
    }
}

impl Fold {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Both => "both",
        }
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for Fold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Gap {
    type Err = TriggerError;

    fn from_str(text: &str) -> Result<Self, TriggerError> {
        match text {
            "next" => Ok(Self::Next),
            "skip" => Ok(Self::Skip),
            _ => Err(unknown("gap", text, ["next", "skip"])),
        }
    }
}

impl FromStr for Fold {
    type Err = TriggerError;

    fn from_str(text: &str) -> Result<Self, TriggerError> {
        match text {
            "first" => Ok(Self::First),
            "both" => Ok(Self::Both),
            _ => Err(unknown("fold", text, ["first", "both"])),
        }
    }
}

fn unknown(field: &'static str, text: &str, allowed: [&'static str; 2]) -> TriggerError {
    let [a, b] = allowed;
    TriggerError::new(format!("`{text}` is not a {field} rule (`{a}` or `{b}`)"))
        .in_field(field)
        .at(0..text.len())
        .allow(format!("{a}, {b}"))
        .meant(suggest::only_nearest(text, allowed))
        .in_text(text)
}

/// The result if no local time matches until the end of the years.
const NEVER: i64 = i64::MAX / 4;

/// Returns the first fire time after the instant `after`, given `first_local(from)`: the first matching local second at
/// or after `from`. All in seconds.
///
/// Between two clock changes local time and UTC differ by a constant, so there is one call of `first_local` per
/// segment. The last answer is kept: as long as no local time repeats, nothing matches before it, and the segments in
/// between are skipped without a call.
pub(crate) fn next_instant(
    offsets: &Offsets,
    gap: Gap,
    fold: Fold,
    after: i64,
    mut first_local: impl FnMut(i64) -> Option<i64>,
) -> Option<i64> {
    let mut now = after + 1;
    let mut at = offsets.locate(now);
    // Nothing matches in [asked, answer).
    let (mut asked, mut answer) = (NEVER, 0);
    let mut ask = |from: i64| {
        if from < asked || from > answer {
            answer = first_local(from).unwrap_or(NEVER);
            asked = from;
        }
        (asked, answer)
    };
    loop {
        let segment = offsets.segment(at);
        if gap == Gap::Next && now == segment.start && segment.offset > segment.before {
            let lost = segment.start + segment.before;
            if ask(lost).1 < segment.start + segment.offset {
                return Some(segment.start);
            }
        }
        let mut from = now + segment.offset;
        if fold == Fold::First && segment.offset < segment.before {
            from = from.max(segment.start + segment.before);
        }
        let (asked, answer) = ask(from);
        let instant = answer - segment.offset;
        if instant < segment.end {
            return (answer < END_OF_YEARS).then_some(instant);
        }
        at += 1;
        if at >= offsets.len() {
            return None;
        }
        // The next segment is always checked for repeated times; later ones only near the answer.
        if offsets.segment(at).start + offsets.segment(at).offset >= asked {
            at = at.max(offsets.locate(instant - 2 * DAY));
        }
        now = offsets.segment(at).start;
    }
}
