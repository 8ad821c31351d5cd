//! When a job fires: interval, cron, calendar and date triggers that are exact around clock
//! changes.

mod bounds;
mod calendar;
mod calendar_builder;
mod civil;
mod clock_change;
mod combine;
mod cron;
mod cron_build;
mod cron_expr;
mod cron_fields;
mod custom;
mod date;
mod days;
mod duration;
mod error;
mod field;
#[cfg(feature = "cron")]
mod from_cron;
mod interval;
mod item;
mod item_error;
#[cfg(feature = "serde")]
mod json;
#[cfg(feature = "serde")]
mod json_map;
mod modifiers;
mod moment;
mod offsets;
mod parse;
mod resolve;
mod search;
mod suggest;
mod text;
mod trigger;
mod values;
mod window;
mod words;
mod zone;
mod zone_names;

pub use calendar_builder::CalendarInterval;
pub use clock_change::{Fold, Gap};
pub use cron_fields::CronFields;
pub use custom::CustomTrigger;
pub use duration::{format_duration, parse_duration};
pub use error::TriggerError;
pub use moment::Moment;
pub use search::Upcoming;
#[doc(hidden)]
pub use suggest::nearest;
pub use trigger::Trigger;
pub use window::Count;
pub use zone::{Zone, tz_version};
pub use zone_names::ZONE_NAMES;

/// The time zones of `chrono-tz`.
#[cfg(feature = "chrono-tz")]
pub use chrono_tz::Tz;
