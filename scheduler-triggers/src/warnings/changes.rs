//! Fire times at a change of clocks.

use chrono::NaiveDateTime;

use crate::bounds::Bounds;
use crate::calendar::Calendar;
use crate::civil::DAY;
use crate::cron::Cron;
use crate::describe::wording::{date_of, joined, time_of, wall};
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};
use crate::zone::offsets::{Instants, Segment};

/// How far ahead changes are searched for, in seconds.
const AHEAD: i64 = 400 * DAY;
/// The maximum number of times of one change that are listed; if there are more, only the first is named.
const LISTED: usize = 3;

struct Rules<'a> {
    zone: Zone,
    gap: Gap,
    fold: Fold,
    bounds: &'a Bounds,
}

pub(crate) fn of_cron(cron: &Cron, now: i64) -> Vec<String> {
    let Some(zone) = cron.zone else {
        return Vec::new();
    };
    let rules = Rules {
        zone,
        gap: cron.effective_gap(),
        fold: cron.effective_fold(),
        bounds: cron.bounds.as_deref().unwrap_or(&Bounds::NONE),
    };
    rules.next_two(now, |from| cron.first_local(from, &mut 0))
}

/// Returns a warning about the next day whose fire times are all lost in a gap.
pub(crate) fn lost_day(cron: &Cron, now: i64) -> Option<String> {
    let zone = cron.zone.filter(|_| cron.effective_gap() == Gap::Skip)?;
    let offsets = zone.offsets()?;
    let bounds = cron.bounds.as_deref().unwrap_or(&Bounds::NONE);
    let first_local = |from| cron.first_local(from, &mut 0);
    let gaps = (offsets.locate(now) + 1..offsets.len())
        .map(|at| offsets.segment(at))
        .take_while(|segment| segment.start <= now.saturating_add(AHEAD))
        .filter(|segment| segment.offset > segment.before && bounds.allow(segment.start));
    let (change, first, times) = gaps.into_iter().find_map(|change| {
        let lost = change.start + change.before..change.start + change.offset;
        let (first, times, several) = times_in(lost.clone(), first_local)?;
        let day = first.div_euclid(DAY) * DAY;
        let is_first = first_local(day) == Some(first);
        let is_last = first_local(lost.end).is_none_or(|next| next >= day + DAY);
        let does = if several { "do" } else { "does" };
        (is_first && is_last).then(|| (change, first, format!("{times} {does}")))
    })?;
    let mut text = format!(
        "on {} {times} not exist in {zone}: `{}` does not run on that day",
        date_of(wall(first)),
        cron.text
    );
    if let Some(next) = cron.next_second(change.start, &mut 0)
        && next > change.start + 2 * DAY
    {
        let offset = offsets.segment(offsets.locate(next)).offset;
        text.extend([", and next on ", &date_of(wall(next + offset))]);
    }
    let instead = wall(change.start + change.offset);
    text.extend([
        "; `gap=next` runs it once, at ",
        &time_on(instead, wall(first)),
    ]);
    Some(text)
}

/// Returns `true` if the clocks of a zone change within the searched time.
pub(crate) fn are_ahead(zone: Zone, now: i64) -> bool {
    zone.offsets().is_some_and(|offsets| {
        let next = offsets.locate(now) + 1;
        next < offsets.len() && offsets.segment(next).start <= now.saturating_add(AHEAD)
    })
}

pub(crate) fn of_calendar(calendar: &Calendar, now: i64) -> Vec<String> {
    let Some(zone) = calendar.zone else {
        return Vec::new();
    };
    let rules = Rules {
        zone,
        gap: calendar.gap.unwrap_or(Gap::Next),
        fold: calendar.fold.unwrap_or(Fold::First),
        bounds: &calendar.bounds,
    };
    rules.next_two(now, |from| calendar.first_local(from, &mut 0))
}

pub(crate) fn of_date(at: NaiveDateTime, zone: Zone) -> Option<String> {
    let offsets = zone.offsets()?;
    match offsets.instants(at.and_utc().timestamp()) {
        Instants::Gap { end } => {
            let segment = offsets.segment(offsets.locate(end));
            let instead = wall(end + segment.offset);
            Some(format!(
                "on {} {} does not exist in {zone}: it runs at {} instead",
                date_of(at),
                time_of(at),
                time_on(instead, at)
            ))
        }
        Instants::Shown { first, last } if first < last => Some(format!(
            "on {} {} occurs twice in {zone}: it runs the first time",
            date_of(at),
            time_of(at)
        )),
        Instants::Shown { .. } => None,
    }
}

impl Rules<'_> {
    /// Returns warnings about the next gap and the next fold that contain fire times.
    fn next_two(&self, now: i64, first_local: impl Fn(i64) -> Option<i64>) -> Vec<String> {
        let Some(offsets) = self.zone.offsets() else {
            return Vec::new();
        };
        let (mut gap, mut fold) = (None, None);
        let mut warnings = Vec::new();
        for at in offsets.locate(now) + 1..offsets.len() {
            let segment = offsets.segment(at);
            if segment.start > now.saturating_add(AHEAD) {
                break;
            }
            if segment.offset > segment.before && gap.is_none() {
                gap = self.in_gap(segment, &first_local);
                warnings.extend(gap.clone());
            }
            if segment.offset < segment.before && fold.is_none() {
                fold = self.in_fold(segment, now, &first_local);
                warnings.extend(fold.clone());
            }
        }
        warnings
    }

    fn in_gap(&self, change: Segment, first_local: impl Fn(i64) -> Option<i64>) -> Option<String> {
        let lost = change.start + change.before..change.start + change.offset;
        if !self.allow(change.start) {
            return None;
        }
        let (first, times, several) = times_in(lost.clone(), first_local)?;
        let instead = match self.gap {
            Gap::Skip => "it does not run then".to_owned(),
            Gap::Next => {
                let once = if several { "once, " } else { "" };
                format!(
                    "it runs {once}at {} instead",
                    time_on(wall(lost.end), wall(first))
                )
            }
        };
        let does = if several { "do" } else { "does" };
        Some(format!(
            "on {} {times} {does} not exist in {}: {instead}",
            date_of(wall(first)),
            self.zone
        ))
    }

    fn in_fold(
        &self,
        change: Segment,
        now: i64,
        first_local: impl Fn(i64) -> Option<i64>,
    ) -> Option<String> {
        let twice = change.start + change.offset..change.start + change.before;
        let (first, times, several) = times_in(twice, first_local)?;
        let once = first - change.before;
        if once <= now || !self.allow(once) || !self.allow(first - change.offset) {
            return None;
        }
        let occur = if several { "occur" } else { "occurs" };
        let which = match self.fold {
            Fold::First => "the first time only",
            Fold::Both => "both times",
        };
        Some(format!(
            "on {} {times} {occur} twice in {}: it runs {which}",
            date_of(wall(first)),
            self.zone
        ))
    }

    fn allow(&self, second: i64) -> bool {
        self.bounds.allow(second)
    }
}

/// Returns the first fire time within a stretch of local time, a text with all of them, and whether there are several.
fn times_in(
    stretch: std::ops::Range<i64>,
    first_local: impl Fn(i64) -> Option<i64>,
) -> Option<(i64, String, bool)> {
    let mut found = Vec::new();
    let mut from = stretch.start;
    while found.len() <= LISTED
        && let Some(local) = first_local(from).filter(|local| *local < stretch.end)
    {
        found.push(local);
        from = local + 1;
    }
    let first = *found.first()?;
    let times: Vec<_> = found.iter().map(|local| time_of(wall(*local))).collect();
    let text = if times.len() > LISTED {
        format!("{} and other times", times.first()?)
    } else {
        joined(&times, "and")
    };
    Some((first, text, found.len() > 1))
}

/// Returns a time, with its date if that differs from the one already named.
fn time_on(at: NaiveDateTime, named: NaiveDateTime) -> String {
    if at.date() == named.date() {
        time_of(at)
    } else {
        format!("{} on {}", time_of(at), date_of(at))
    }
}
