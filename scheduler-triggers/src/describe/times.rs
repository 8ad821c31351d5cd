//! The time of day of a cron trigger in words.

use crate::cron::Cron;
use crate::cron::days::ALL_MONTHS;
use crate::describe::DayRule;
use crate::describe::shape::{Shape, listed};
use crate::describe::wording::{LONGEST_LIST, clock, counted, joined, ordinal};

/// The times of day at which a trigger fires.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) text: String,
    /// `true` if the text lists the times.
    pub(super) is_list: bool,
    /// `true` if the text describes a frequency instead of times of day.
    pub(super) is_frequency: bool,
}

struct Fields {
    hours: Shape,
    /// The hours as runs: those of a night are a single run if every day has them.
    runs: Vec<(u32, u32)>,
    minutes: Shape,
    seconds: Shape,
}

/// More stretches of hours than this are easier to read as a list.
const STRETCHES: usize = 3;

/// Returns `None` if the words would be harder to understand than the expression.
pub(super) fn times(cron: &Cron) -> Option<Times> {
    let hours = Shape::of(u64::from(cron.hours), 0, 23);
    let fields = Fields {
        runs: hours.runs(24, is_daily(cron).then_some((0, 23))),
        hours,
        minutes: Shape::of(cron.minutes, 0, 59),
        seconds: Shape::of(cron.seconds, 0, 59),
    };
    // Seconds of one minute of the day are also times of day.
    let is_frequency = !matches!(
        (&fields.hours, &fields.minutes),
        (Shape::One(_), Shape::One(_))
    );
    let frequency = |text| Times {
        text,
        is_list: false,
        is_frequency,
    };
    let list = || {
        fields.list().map(|text| Times {
            text,
            is_list: true,
            is_frequency: false,
        })
    };
    if !cron.frequency {
        // As written: times of day.
        return list().or_else(|| fields.frequency().map(frequency));
    }
    match fields.hours {
        // Few hours without a pattern: a list of the times is clearest.
        Shape::One(_) if matches!(fields.minutes, Shape::One(_)) => list(),
        Shape::List(_) if matches!(fields.minutes, Shape::One(_)) && !fields.is_stretches() => {
            list()
        }
        Shape::Steps { .. }
            if fields.hours.is_pair(24) && matches!(fields.minutes, Shape::One(_)) =>
        {
            list()
        }
        Shape::One(_) if fields.minutes.is_pair(60) => list(),
        _ => None,
    }
    .or_else(|| fields.frequency().map(frequency))
    .or_else(list)
}

/// Returns `true` if no day is left out, so a night continues on the next day.
fn is_daily(cron: &Cron) -> bool {
    let rule = DayRule::of(cron);
    rule.by_day.is_none()
        && rule.by_weekday.is_none()
        && cron.months == ALL_MONTHS
        && cron.special.is_none()
}

impl Fields {
    /// Returns `true` if the hours are a few stretches of the day instead of a list.
    fn is_stretches(&self) -> bool {
        self.runs.len() <= STRETCHES && self.runs.iter().any(|(first, last)| first != last)
    }

    /// `at 08:00 and 20:00`.
    fn list(&self) -> Option<String> {
        let lists = [
            self.hours.values(24),
            self.minutes.values(60),
            self.seconds.values(60),
        ];
        if lists.iter().map(Vec::len).product::<usize>() > LONGEST_LIST {
            return None;
        }
        let [hours, minutes, seconds] = &lists;
        let mut times = Vec::new();
        for hour in hours {
            for minute in minutes {
                for second in seconds {
                    times.push(clock(*hour, *minute, *second));
                }
            }
        }
        Some(format!("at {}", joined(&times, "and")))
    }

    fn frequency(&self) -> Option<String> {
        match self.seconds {
            Shape::One(second) => self.by_minutes(second),
            _ => self.by_seconds(),
        }
    }

    /// At most once a minute.
    fn by_minutes(&self, second: u32) -> Option<String> {
        let past = |text: String| match second {
            0 => text,
            _ => format!("{text}, at second {second}"),
        };
        let steps = match self.minutes {
            Shape::One(minute) => Some((60, minute)),
            _ => self.minutes.even_steps(60),
        };
        match (&self.hours, steps) {
            (Shape::All, Some((60, 0))) => Some(past("every hour".to_owned())),
            (Shape::All, Some((60, minute))) => {
                Some(past(format!("every hour at minute {minute}")))
            }
            (Shape::All, Some((step, 0))) => {
                Some(past(format!("every {}", counted(step, "minute"))))
            }
            (Shape::All, Some((step, first))) => Some(past(format!(
                "every {step} minutes from minute {first} of each hour"
            ))),
            (Shape::Run(from, to), Some((60, minute))) => Some(format!(
                "every hour from {} to {}",
                clock(*from, minute, second),
                clock(*to, minute, second)
            )),
            (Shape::Run(from, to), Some((step, first))) => Some(stretch(
                step,
                (*from, first),
                (*to, 60 - step + first),
                second,
            )),
            (Shape::Steps { first, last, step }, Some((60, minute))) => Some(format!(
                "every {step} hours from {} to {}",
                clock(*first, minute, second),
                clock(*last, minute, second)
            )),
            (Shape::List(_), Some((step, first))) if self.is_stretches() => {
                Some(self.stretches(step, first, second))
            }
            (Shape::One(hour), _) => match self.minutes {
                Shape::All => Some(stretch(1, (*hour, 0), (*hour, 59), second)),
                Shape::Run(from, to) => Some(stretch(1, (*hour, from), (*hour, to), second)),
                Shape::Steps { first, last, step } => {
                    Some(stretch(step, (*hour, first), (*hour, last), second))
                }
                _ => Some(past(format!(
                    "{} {}",
                    self.minutes_phrase()?,
                    self.hours_phrase()?
                ))),
            },
            _ => Some(past(format!(
                "{} {}",
                self.minutes_phrase()?,
                self.hours_phrase()?
            ))),
        }
    }

    /// Several times a minute.
    fn by_seconds(&self) -> Option<String> {
        let even = self.seconds.even_steps(60);
        match (even, &self.minutes, &self.hours) {
            (Some((step, 0)), Shape::All, Shape::All) => {
                return Some(format!("every {}", counted(step, "second")));
            }
            (Some((step, first)), Shape::All, Shape::One(_) | Shape::Run(..)) => {
                let (from, to) = match self.hours {
                    Shape::Run(from, to) => (from, to),
                    Shape::One(hour) => (hour, hour),
                    _ => return None,
                };
                return Some(format!(
                    "every {} from {} to {}",
                    counted(step, "second"),
                    with_seconds(from, 0, first),
                    with_seconds(to, 59, 60 - step + first)
                ));
            }
            (Some((step, first)), Shape::One(minute), Shape::One(hour)) => {
                return Some(format!(
                    "every {} from {} to {}",
                    counted(step, "second"),
                    with_seconds(*hour, *minute, first),
                    with_seconds(*hour, *minute, 60 - step + first)
                ));
            }
            _ => {}
        }
        let seconds = within(&self.seconds, "second", even)?;
        let minutes = self.of_minutes()?;
        Some(match (&self.minutes, &self.hours) {
            (Shape::All, Shape::All) => format!("{seconds} {minutes}"),
            _ => format!("{seconds} {minutes} {}", self.hours_phrase()?),
        })
    }

    /// `every hour from 08:00 to 12:00 and from 14:00 to 18:00`.
    fn stretches(&self, step: u32, first: u32, second: u32) -> String {
        let hourly = step == 60;
        let parts: Vec<_> = self
            .runs
            .iter()
            .map(|(from, to)| {
                let end = if hourly { first } else { 60 - step + first };
                let (from_time, to_time) = (clock(*from, first, second), clock(*to, end, second));
                if hourly && from == to {
                    format!("at {from_time}")
                } else {
                    format!("from {from_time} to {to_time}")
                }
            })
            .collect();
        let every = if hourly {
            "hour".to_owned()
        } else {
            counted(step, "minute")
        };
        format!("every {every} {}", joined(&parts, "and"))
    }

    /// `of each minute`, `of minute 5`, `of every 7th minute from 0 to 56`.
    fn of_minutes(&self) -> Option<String> {
        Some(match self.minutes {
            Shape::All => "of each minute".to_owned(),
            Shape::One(minute) => format!("of minute {minute}"),
            Shape::Run(from, to) if to - from > 1 => format!("of each minute from {from} to {to}"),
            Shape::Steps { first, last, step } if last - first > step => {
                format!("of every {} minute from {first} to {last}", ordinal(step))
            }
            ref minutes => format!(
                "of the minutes {}",
                listed(&minutes.runs(60, None), |minute| minute.to_string())?
            ),
        })
    }

    fn minutes_phrase(&self) -> Option<String> {
        within(&self.minutes, "minute", self.minutes.even_steps(60))
    }

    /// `of each hour`, `of each hour from 09 to 17`, `of the hours 02, 05 and 07`.
    fn hours_phrase(&self) -> Option<String> {
        Some(match &self.hours {
            Shape::All => "of each hour".to_owned(),
            Shape::One(hour) => format!("of the hour {hour:02}"),
            Shape::Run(from, to) => format!("of each hour from {from:02} to {to:02}"),
            Shape::Steps { first, last, step } if last - first > *step => format!(
                "of every {} hour from {first:02} to {last:02}",
                ordinal(*step)
            ),
            _ => format!(
                "of the hours {}",
                listed(&self.runs, |hour| format!("{hour:02}"))?
            ),
        })
    }
}

/// `every 15 minutes from 09:00 to 17:45`.
fn stretch(step: u32, from: (u32, u32), to: (u32, u32), second: u32) -> String {
    format!(
        "every {} from {} to {}",
        counted(step, "minute"),
        clock(from.0, from.1, second),
        clock(to.0, to.1, second)
    )
}

fn with_seconds(hour: u32, minute: u32, second: u32) -> String {
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// Returns the values of a unit within the next larger unit.
fn within(shape: &Shape, unit: &str, even: Option<(u32, u32)>) -> Option<String> {
    Some(match (shape, even) {
        (Shape::All, _) => format!("every {unit}"),
        (_, Some((step, 0))) => format!("every {}", counted(step, unit)),
        (Shape::One(value), _) => format!("at {unit} {value}"),
        (Shape::Run(from, to), _) if to - from > 1 => {
            format!("every {unit} from {unit} {from} to {unit} {to}")
        }
        (Shape::Steps { first, last, step }, _) if last - first > *step => {
            format!("every {step} {unit}s from {unit} {first} to {unit} {last}")
        }
        _ => format!(
            "at {unit}s {}",
            listed(&shape.runs(60, None), |value| value.to_string())?
        ),
    })
}
