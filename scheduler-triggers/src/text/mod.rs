//! The text form: what `Display` writes.

pub(crate) mod duration;
mod pairs;
mod parse;
pub(crate) mod words;

use std::fmt;

use crate::bounds::Bounds;
use crate::kinds::calendar_interval::Calendar;
use crate::kinds::calendar_interval::builder::format_time;
use crate::zone::clock_change::{Fold, Gap};
use crate::text::duration::format_duration;
use crate::trigger::{Kind, Trigger};
use crate::zone::Zone;

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Interval(_) => {
                let every = self.interval_length().unwrap_or_default();
                write!(f, "every {}", format_duration(every))?;
            }
            Kind::Cron(cron) => write!(f, "cron {}", cron.text)?,
            Kind::Calendar(calendar) => write_calendar(f, calendar)?,
            Kind::Date(date) => match date.at {
                Some(at) => write!(f, "at {at}")?,
                None => f.write_str("at now")?,
            },
            Kind::And(children) => return write_list(f, "and", children),
            Kind::Or(children) => return write_list(f, "or", children),
            Kind::Custom(custom) => return write!(f, "custom {}", custom.describe()),
        }
        self.options().write(f)
    }
}

/// The options that any trigger may have, as they are written after it.
pub(crate) struct Options {
    pub(crate) zone: Option<Zone>,
    pub(crate) bounds: Bounds,
    pub(crate) gap: Option<Gap>,
    pub(crate) fold: Option<Fold>,
}

impl Trigger {
    pub(crate) fn options(&self) -> Options {
        let (gap, fold) = match &self.0 {
            Kind::Cron(cron) => (cron.gap, cron.fold),
            Kind::Calendar(calendar) => (calendar.gap, calendar.fold),
            _ => (None, None),
        };
        Options {
            zone: match &self.0 {
                Kind::And(_) | Kind::Or(_) => None,
                _ => self.zone(),
            },
            bounds: self.bounds().unwrap_or(Bounds::NONE),
            gap,
            fold,
        }
    }
}

impl Options {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

fn write_calendar(f: &mut fmt::Formatter<'_>, calendar: &Calendar) -> fmt::Result {
    f.write_str("calendar")?;
    for (name, count) in calendar.counts() {
        if count > 0 {
            write!(f, " {name}={count}")?;
        }
    }
    if let Some(time) = calendar.time {
        write!(f, " time={}", format_time(time))?;
    }
    match calendar.start {
        Some(start) => write!(f, " start={start}"),
        None => Ok(()),
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, name: &str, children: &[Trigger]) -> fmt::Result {
    write!(f, "{name}(")?;
    for (index, child) in children.iter().enumerate() {
        if index > 0 {
            f.write_str("; ")?;
        }
        write!(f, "{child}")?;
    }
    f.write_str(")")
}
