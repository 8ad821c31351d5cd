//! When a job fires: interval, cron, calendar and date triggers that are exact around clock changes.
//!
//! A [`Trigger`] is a pure function from an instant to the next fire time: it has no state, does not read the clock,
//! and returns the same answer on every machine.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use scheduler_triggers::Trigger;
//!
//! let trigger: Trigger = "cron 30 2 * * * timezone=Europe/Berlin".parse()?;
//! let eve: DateTime<Utc> = "2026-03-28T12:00:00Z".parse()?;
//!
//! // 02:30 does not exist on 29 March 2026: it fires once the clocks have gone forward.
//! assert_eq!(trigger.next_after(eve), Some("2026-03-29T01:00:00Z".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Kinds
//!
//! | created by | text form | JSON `type` |
//! | --- | --- | --- |
//! | [`Trigger::every`], [`Trigger::interval`] | `every 1h 30m` | `interval` |
//! | [`Trigger::cron`] | `cron 0 6 * * mon-fri` | `cron` with `expr` |
//! | [`Trigger::cron_fields`] | `cron day_of_week=mon-fri hour=6` | `cron` with fields |
//! | [`Trigger::calendar_interval`] | `calendar months=1 time=02:30:00` | `calendar_interval` |
//! | [`Trigger::at`], [`Trigger::date`] | `at 2026-12-31T23:59:00Z` | `date` |
//! | [`Trigger::and`], [`Trigger::or`] | `and(…; …)`, `or(…; …)` | `and`, `or` |
//! | [`Trigger::custom`] | none | none |
//!
//! Options follow the text: `timezone=Asia/Shanghai start=… end=… gap=skip fold=both`.
//! [`FromStr`](std::str::FromStr) also accepts `5m`, `0 6 * * *`, `@daily`, `@every 5m` and a plain RFC 3339 instant.
//! All fire times are in the years 1970 to 2099, where the zone data ends.
//!
//! # Clock changes
//!
//! A *gap* is a wall-clock time that does not exist on a day, a *fold* one that occurs twice. A cron trigger whose hour
//! or minute contains a `*`, a range or a step is a frequency; one with only plain numbers, or lists of them, is a
//! fixed time, and so is a calendar interval.
//!
//! | | fixed time | frequency | option |
//! | --- | --- | --- | --- |
//! | in a gap | once, at the first instant after it | does not fire | [`gap`](Trigger::gap) |
//! | in a fold | the first time only | both times | [`fold`](Trigger::fold) |
//!
//! Several fire times in one gap result in one fire. A skipped date, such as 30 December 2011 in Apia, is a gap like
//! any other.
//!
//! # Where implementations differ
//!
//! | written | means |
//! | --- | --- |
//! | `0 0 13 * fri` | the 13th **or** a Friday: both day fields are restricted, as in crontab(5) |
//! | `0 0 */2 * fri`, `0 0 ? * fri` | both must match: a day field that begins with `*` or is `?` does not count as restricted |
//! | `day=13 day_of_week=fri` | the 13th **and** a Friday: in the keyword form all fields must match |
//! | `*,5` and `*/2,5` | lists like any other; they begin with `*` and are a frequency |
//! | `0 6-6 * * *` | a range, hence a frequency, even with a single value |
//! | `5/15` | from 5 to the end of the field; for weekdays the end is Saturday |
//! | `mon-fri/2` | Monday, Wednesday, Friday |
//! | `fri-mon`, `5-7` | weekday ranges may wrap around the end of the week; 0 and 7 are Sunday |
//! | `22-3`, `nov-feb`, `25-5` | every range may wrap around the end of its field, except years |
//! | `22-5/3` | 22, 1, 4: steps are counted across the end; `25-5/2` over 31 days in every month |
//! | `*/24` in hour, `*/7` in weekday, `10-20/15` | only the first value, as in crontab |
//! | `0 0 1-7 * */7` | the first Sunday: `*/7` begins with `*`, so both must match |
//! | `*/90` in minute, `*/36` in hour | rejected: it would run once an hour, or once a day |
//! | `007` | 7 |
//! | `L-3`, `L-3W` | the third day before the last of the month, and the workday nearest to it; none in short months |
//! | `?` | `*`, only in the two day fields: elsewhere it is `EventBridge`, whose fields differ |
//! | `31W` | the workday nearest to the 31st, in months that have one; it stays in its month |
//! | `fri#5` | only in months with five Fridays |
//! | `year=2027 week=53` | the calendar year 2027, not the ISO year |
//! | `day_of_week=1` | rejected: `APScheduler` counts from Monday, crontab from Sunday |
//! | `@weekly` | Sunday 00:00 |
//! | `@reboot` | rejected: that is the job option `run_on_start` |
//! | `start`, `end` | inclusive; without an offset, local time in the trigger's zone |
//! | `end=2026-12-31` | the end of that day |
//! | a start or end that occurs twice | the first occurrence of a start, the last of an end |
//! | `calendar days=1 months=1` | the months are added first, until the date exists, then the days |
//! | an interval without `start` | counts from when its job is added ([`Trigger::resolve`]); before that, the epoch |
//! | `and` | ends after 100,000 leaps between its children, including those inside them |
//!
//! # Descriptions
//!
//! [`Trigger::describe`] describes when a trigger fires, [`Trigger::warnings`] what may be surprising:
//!
//! | trigger | description |
//! | --- | --- |
//! | `every 90m` | every 1 hour 30 minutes |
//! | `*/15 9-17 * * mon-fri` | every 15 minutes from 09:00 to 17:45 on weekdays |
//! | `0 8,20 * * mon,thu` | at 08:00 and 20:00 on Mondays and Thursdays |
//! | `0 12 * * friL` | on the last Friday of each month at 12:00 |
//! | `0 0 13 * fri` | on the 13th of each month and also on Fridays at 00:00 |
//! | `at 2026-12-04T18:00 timezone=Asia/Shanghai` | once, on Friday 4 December 2026 at 18:00 in Asia/Shanghai |
//!
//! # Features
//!
//! - `time-zones` (default): real time zones, from the IANA data. Without it zone names are checked, and a trigger in a
//!   zone other than UTC never fires.
//! - `serde` (default): the JSON form.
//! - `cron`: `Trigger: From<cron::Schedule>`.
//! - `chrono-tz`: conversions between [`Zone`] and `chrono_tz::Tz`, by `TryFrom`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod bisection;
mod bounds;
mod calendar;
mod civil;
mod cron;
mod definition_text;
mod describe;
mod effort;
mod error;
#[cfg(feature = "serde")]
mod json;
mod kind;
mod kinds;
mod moment;
mod options;
pub mod policies;
mod resolve;
mod search;
mod suggest;
mod text;
mod trigger;
mod warnings;
mod window;
mod with_options;
mod zone;

pub use calendar::builder::CalendarInterval;
pub use cron::keyword::CronFields;
pub use definition_text::definition_duration;
pub use effort::{Effort, Exhausted};
pub use error::TriggerError;
pub use kinds::custom::CustomTrigger;
pub use moment::Moment;
pub use search::Upcoming;
#[doc(hidden)]
pub use suggest::nearest;
pub use text::duration::{format_duration, parse_duration};
pub use trigger::Trigger;
pub use window::Count;
#[cfg(feature = "time-zones")]
pub use zone::data::ZoneOffset;
pub use zone::gap_fold::{Fold, Gap};
pub use zone::names::ZONE_NAMES;
pub use zone::{Zone, tz_version};

/// An alias of [`Zone`], as short as its constants are long: `Tz::Europe__Berlin`.
pub type Tz = Zone;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
