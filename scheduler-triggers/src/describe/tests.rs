//! Long functions here are tables of cases: each case has a text and the expected result.

use chrono::{DateTime, Utc};

use super::*;
use crate::CustomTrigger;

fn describe(text: &str) -> String {
    text.parse::<Trigger>()
        .unwrap_or_else(|error| panic!("{text}: {error:#}"))
        .describe()
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, describe(text), expected))
        .filter(|(_, found, expected)| found != *expected)
        .map(|(text, found, expected)| format!("{text}\n  is  {found}\n  not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn intervals() {
    check(&[
        ("every 5m", "every 5 minutes"),
        ("every 1h", "every hour"),
        ("every 24h", "every 24 hours"),
        ("every 1d", "every 24 hours"),
        ("every 1w", "every 7 days of 24 hours"),
        ("every 36h", "every 1 day 12 hours"),
        ("every 90m", "every 1 hour 30 minutes"),
        ("every 250ms", "every 250 milliseconds"),
        ("every 1s", "every second"),
        (
            "every 1h start=2026-11-24T12:31:15Z",
            "every hour, from 24 November 2026 12:31:15 UTC",
        ),
        (
            "every 1h start=2026-11-24T12:31:15.25Z end=2026-12-31",
            "every hour, from 24 November 2026 12:31:15 UTC, until the end of 31 December 2026",
        ),
        (
            "every 2h start=2026-11-24T09:00 end=2026-12-31T18:00 timezone=Europe/Berlin",
            "every 2 hours, from 24 November 2026 09:00, until 31 December 2026 18:00 in Europe/Berlin",
        ),
    ]);
}

#[test]
fn dates_and_calendars() {
    check(&[
        (
            "at 2026-12-04T18:00 timezone=Asia/Shanghai",
            "once, on Friday 4 December 2026 at 18:00 in Asia/Shanghai",
        ),
        (
            "at 2026-12-04T18:00:00+08:00",
            "once, on Friday 4 December 2026 at 10:00 UTC",
        ),
        (
            "at 2026-12-04T18:00:30",
            "once, on Friday 4 December 2026 at 18:00:30",
        ),
        ("at now", "once, as soon as it is added"),
        ("calendar days=1 time=06:00", "every day at 06:00"),
        ("calendar days=3", "every 3 days at 00:00"),
        (
            "calendar weeks=2 time=09:00 start=2026-01-05 timezone=Europe/Berlin",
            "every 2 weeks on Monday at 09:00 in Europe/Berlin, from 5 January 2026",
        ),
        (
            "calendar months=1 time=02:30 start=2026-01-31 timezone=UTC",
            "every month on the 31st where there is one at 02:30, UTC, from 31 January 2026",
        ),
        (
            "calendar months=3 time=02:30:15 start=2026-01-15 end=2027-12-31",
            "every 3 months on the 15th at 02:30:15, from 15 January 2026, until the end of 31 December 2027",
        ),
        (
            "calendar years=1 start=2024-02-29",
            "every year on 29 February where there is one at 00:00, from 29 February 2024",
        ),
        (
            "calendar years=2 start=2024-03-01 gap=skip fold=both timezone=Europe/Berlin",
            "every 2 years on 1 March at 00:00 in Europe/Berlin, from 1 March 2024; a time that \
             the clocks skip is left out; a time that the clocks show twice counts both times",
        ),
        (
            "calendar months=1 days=1 start=2026-01-30",
            "every month and day at 00:00, from 30 January 2026",
        ),
        (
            "calendar years=1 months=2 weeks=1 days=3",
            "every year, 2 months, week and 3 days at 00:00",
        ),
    ]);
}

#[test]
fn frequencies() {
    check(&[
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0/5 * * * *", "every 5 minutes"),
        ("0,30 * * * *", "every 30 minutes"),
        ("*/5 * * * * timezone=UTC", "every 5 minutes"),
        (
            "*/5 * * * * timezone=Asia/Kathmandu",
            "every 5 minutes in Asia/Kathmandu",
        ),
        (
            "5/15 * * * *",
            "every 15 minutes from minute 5 of each hour",
        ),
        (
            "*/7 * * * *",
            "every 7 minutes from minute 0 to minute 56 of each hour",
        ),
        ("0,10,25 * * * *", "at minutes 0, 10 and 25 of each hour"),
        (
            "10-20 * * * *",
            "every minute from minute 10 to minute 20 of each hour",
        ),
        ("@hourly", "every hour"),
        ("15 * * * *", "every hour at minute 15"),
        ("30 0 * * * *", "every hour, at second 30"),
        ("0 */6 * * *", "every 6 hours from 00:00 to 18:00"),
        ("15 */12 * * *", "every 12 hours from 00:15 to 12:15"),
        ("0 */5 * * *", "every 5 hours from 00:00 to 20:00"),
        (
            "0 9-17 * * mon-fri",
            "every hour from 09:00 to 17:00 on weekdays",
        ),
        (
            "*/15 9-17 * * mon-fri timezone=Europe/Berlin",
            "every 15 minutes from 09:00 to 17:45 on weekdays in Europe/Berlin",
        ),
        ("* 9-17 * * *", "every minute from 09:00 to 17:59"),
        ("*/15 2 * * *", "every 15 minutes from 02:00 to 02:45"),
        ("*/7 2 * * *", "every 7 minutes from 02:00 to 02:56"),
        ("10-20 2 * * *", "every minute from 02:10 to 02:20"),
        ("*/20 8,20 * * *", "every 20 minutes of the hours 08 and 20"),
        (
            "5/20 */6 * * *",
            "every 20 minutes from minute 5 to minute 45 of every 6th hour from 00 to 18",
        ),
        (
            "0,10,25 9-17 * * *",
            "at minutes 0, 10 and 25 of each hour from 09 to 17",
        ),
        ("* * * * * *", "every second"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("5,20 * * * * *", "at seconds 5 and 20 of each minute"),
        (
            "*/10 * 9-17 * * *",
            "every 10 seconds from 09:00:00 to 17:59:50",
        ),
        ("* 0 9 * * *", "every second from 09:00:00 to 09:00:59"),
        (
            "*/30 0 * * * *",
            "every 30 seconds of minute 0 of each hour",
        ),
        ("30 */5 * * * *", "every 5 minutes, at second 30"),
        ("*/5 * 1 * *", "every 5 minutes on the 1st of each month"),
        ("*/5 * * jun-aug *", "every 5 minutes from June to August"),
        (
            "*/5 * */2 * fri",
            "every 5 minutes on every 2nd day from the 1st to the 31st of each month, only when that is a Friday",
        ),
    ]);
}

#[test]
fn lists_of_ranges_and_steps() {
    check(&[
        (
            "0 12 1-7,15-21 * *",
            "on the 1st to the 7th and the 15th to the 21st of each month at 12:00",
        ),
        (
            "0 12 1-7,15,L * *",
            "on the 1st to the 7th, the 15th and the last day of each month at 12:00",
        ),
        (
            "*/7 */7 * * * *",
            "every 7 seconds from second 0 to second 56 of every 7th minute from 0 to 56 of each hour",
        ),
        (
            "*/10 */15 9-17 * * mon-fri",
            "every 10 seconds of every 15th minute from 0 to 45 of each hour from 09 to 17 on weekdays",
        ),
        (
            "*/20 1,2,5 3,4,9 * * *",
            "every 20 seconds of the minutes 1, 2 and 5 of the hours 03, 04 and 09; times that the \
             clocks skip are made up for once, right after; times that the clocks show twice count the \
             first time only",
        ),
        (
            "5 10-20 * * * *",
            "every minute from minute 10 to minute 20 of each hour, at second 5",
        ),
        (
            "*/5 10-20 * * * *",
            "every 5 seconds of each minute from 10 to 20 of each hour",
        ),
        (
            "0-10,30-40,55 * * * *",
            "at minutes 0 to 10, 30 to 40 and 55 of each hour",
        ),
        (
            "0 8-12,14-18 * * mon-fri",
            "every hour from 08:00 to 12:00 and from 14:00 to 18:00 on weekdays",
        ),
        (
            "*/15 8-12,14-18 * * *",
            "every 15 minutes from 08:00 to 12:45 and from 14:00 to 18:45",
        ),
        (
            "0 8-12,20 * * *",
            "every hour from 08:00 to 12:00 and at 20:00",
        ),
        (
            "0 0-3,5-7,9-11,13-15 * * *",
            "at minute 0 of the hours 00 to 03, 05 to 07, 09 to 11 and 13 to 15",
        ),
        (
            "0 9 * 1-3,9-11 *",
            "every day in January, February, March, September, October and November at 09:00",
        ),
        (
            "cron week=1-10,20-30 day_of_week=mon",
            "at 00:00 on Mondays in the ISO weeks 1 to 10 and 20 to 30",
        ),
    ]);
}

#[test]
fn ranges_over_the_end() {
    check(&[
        (
            "0 23-1/2 * * *",
            "every day at 01:00 and 23:00; a time that the clocks skip is left out; a time that the \
             clocks show twice counts both times",
        ),
        (
            "50-5/10 8 * * *",
            "every day at 08:00 and 08:50; a time that the clocks skip is left out; a time that the \
             clocks show twice counts both times",
        ),
        ("0 22-2 * * *", "every hour from 22:00 to 02:00"),
        ("*/15 22-2 * * *", "every 15 minutes from 22:00 to 02:45"),
        // On a single weekday, the hours after midnight come before the evening.
        (
            "0 22-2 * * fri",
            "every hour from 00:00 to 02:00, at 22:00 and at 23:00 on Fridays",
        ),
        (
            "0 9 * nov-feb *",
            "every day from November to February at 09:00",
        ),
        (
            "0 9 1 nov-feb *",
            "on the 1st of each month from November to February at 09:00",
        ),
        (
            "0 0 9 1 nov-feb * 2027",
            "on the 1st of January, February, November and December in 2027 at 09:00",
        ),
        (
            "0 9 25-5 * *",
            "on the 1st to the 5th and the 25th to the 31st of each month at 09:00",
        ),
        (
            "50-10 * * * *",
            "at minutes 0 to 10 and 50 to 59 of each hour",
        ),
        (
            "0 0 1-7 * */7",
            "on the 1st to the 7th of each month, only when that is a Sunday, at 00:00",
        ),
    ]);
}

#[test]
fn days_before_the_last() {
    check(&[
        (
            "0 9 L-3 * *",
            "on the day 3 days before the last day of each month at 09:00",
        ),
        (
            "0 9 L-1 * *",
            "on the day before the last day of each month at 09:00",
        ),
        (
            "0 9 L-3W * *",
            "on the weekday (Monday to Friday) nearest to the day 3 days before the last day of each \
             month at 09:00",
        ),
        (
            "0 9 L-3,L * *",
            "on the last day and the day 3 days before the last day of each month at 09:00",
        ),
    ]);
}

#[test]
fn times_of_day() {
    check(&[
        (
            "0 6 * * * timezone=Asia/Shanghai",
            "every day at 06:00 in Asia/Shanghai",
        ),
        ("@daily", "every day at 00:00"),
        (
            "0 9 * * 1-5 timezone=Europe/Berlin",
            "every weekday (Monday to Friday) at 09:00 in Europe/Berlin",
        ),
        (
            "0 8,20 * * mon,thu timezone=UTC",
            "at 08:00 and 20:00 on Mondays and Thursdays, UTC",
        ),
        ("@weekly", "at 00:00 on Sundays"),
        ("0 10 * * sat,sun", "at 10:00 on Saturdays and Sundays"),
        ("0 10 * * mon-sat", "at 10:00 on all days but Sundays"),
        ("15 30 9 * * *", "every day at 09:30:15"),
        (
            "0,30 8,20 * * *",
            "every day at 08:00, 08:30, 20:00 and 20:30",
        ),
        ("@monthly", "on the 1st of each month at 00:00"),
        (
            "0 0 1,15 * *",
            "on the 1st and the 15th of each month at 00:00",
        ),
        (
            "0 0 1-7 * *",
            "on the 1st to the 7th of each month at 00:00",
        ),
        (
            "0 0 */2 * *",
            "on every 2nd day from the 1st to the 31st of each month at 00:00",
        ),
        ("0 23 L * *", "on the last day of each month at 23:00"),
        (
            "0 23 15,L * *",
            "on the 15th and the last day of each month at 23:00",
        ),
        (
            "0 23 LW * *",
            "on the last weekday (Monday to Friday) of each month at 23:00",
        ),
        (
            "0 23 15W * *",
            "on the weekday (Monday to Friday) nearest to the 15th of each month at 23:00",
        ),
        ("0 12 * * friL", "on the last Friday of each month at 12:00"),
        (
            "0 12 * * tue#2",
            "on the second Tuesday of each month at 12:00",
        ),
        (
            "0 12 * * mon,fri#2",
            "on Mondays and on the second Friday of each month at 12:00",
        ),
        (
            "cron day='2nd tue,last fri' hour=12",
            "on the second Tuesday and the last Friday of each month at 12:00",
        ),
    ]);
}

#[test]
fn parts_of_the_year() {
    check(&[
        ("0 0 1 1,7 *", "on the 1st of January and July at 00:00"),
        (
            "0 0 1 1-6 *",
            "on the 1st of each month from January to June at 00:00",
        ),
        ("0 9 * 6 *", "every day in June at 09:00"),
        ("0 9 * 6 mon", "at 09:00 on Mondays in June"),
        ("@yearly", "every year on 1 January at 00:00"),
        ("0 18 24 12 *", "every year on 24 December at 18:00"),
        ("0 0 18 24 12 * 2027", "on 24 December 2027 at 18:00"),
        ("0 0 29 2 *", "on 29 February of every leap year at 00:00"),
        (
            "0 0 18 * * * 2027-2029",
            "every day in the years 2027 to 2029 at 18:00",
        ),
        (
            "0 0 18 24 12 * 2027,2029",
            "on 24 December in the years 2027 and 2029 at 18:00",
        ),
        (
            "cron week=7 day_of_week=mon hour=9",
            "at 09:00 on Mondays in ISO week 7",
        ),
        (
            "cron week=*/2 day_of_week=mon hour=9",
            "at 09:00 on Mondays in every 2nd ISO week from 1 to 53",
        ),
        ("cron week=7", "every day in ISO week 7 at 00:00"),
        (
            "0 0 13 * fri",
            "on the 13th of each month and also on Fridays at 00:00",
        ),
        (
            "0 0 13 1,7 fri",
            "on the 13th of January and July and also on Fridays in January and July at 00:00",
        ),
        (
            "0 0 0 13 * fri 2027",
            "in 2027 on the 13th of each month and also on Fridays at 00:00",
        ),
        (
            "0 0 12 * * mon,fri#2 2027",
            "in 2027 on Mondays and on the second Friday of each month at 12:00",
        ),
        (
            "0 0 0 13 * fri#2 2027",
            "in 2027 on the 13th of each month and also on the second Friday of each month at 00:00",
        ),
        ("0 0 1-31 * fri", "every day at 00:00"),
        (
            "cron day=13 day_of_week=fri",
            "on the 13th of each month, only when that is a Friday, at 00:00",
        ),
        (
            "cron day=1-7 day_of_week=mon-fri hour=5 timezone=UTC",
            "on the 1st to the 7th of each month, only when that is a weekday (Monday to Friday), at 05:00, UTC",
        ),
        (
            "0 9 * * * start=2027-01-01 end=2027-06-30T12:00 timezone=Europe/Berlin",
            "every day at 09:00 in Europe/Berlin, from 1 January 2027, until 30 June 2027 12:00",
        ),
    ]);
}

#[test]
fn clock_changes_are_said_where_they_surprise() {
    check(&[
        (
            "30 2 * * * gap=next fold=first timezone=Europe/Berlin",
            "every day at 02:30 in Europe/Berlin",
        ),
        (
            "30 2 * * * gap=skip timezone=Europe/Berlin",
            "every day at 02:30 in Europe/Berlin; a time that the clocks skip is left out",
        ),
        (
            "30 2 * * * fold=both timezone=Europe/Berlin",
            "every day at 02:30 in Europe/Berlin; a time that the clocks show twice counts both \
             times",
        ),
        ("*/5 * * * * gap=skip fold=both", "every 5 minutes"),
        (
            "*/5 * * * * gap=next fold=first",
            "every 5 minutes; times that the clocks skip are made up for once, right after; \
             times that the clocks show twice count the first time only",
        ),
        // Formally a frequency, but a time of day to a reader.
        (
            "0 9-9 * * *",
            "every day at 09:00; a time that the clocks skip is left out; a time that the clocks \
             show twice counts both times",
        ),
    ]);
}

#[test]
fn combinations() {
    check(&[
        (
            "or(0 6 * * *; every 1h)",
            "at each of these: every day at 06:00; every hour",
        ),
        (
            "and(0 */2 * * *; 0 */3 * * *)",
            "only when both: every 2 hours from 00:00 to 22:00; every 3 hours from 00:00 to 21:00",
        ),
        (
            "and(@hourly; @daily; @weekly)",
            "only when all: every hour; every day at 00:00; at 00:00 on Sundays",
        ),
        ("or(@daily)", "every day at 00:00"),
        (
            "or(@daily; and(@hourly; @weekly))",
            "at each of these: every day at 00:00; (only when both: every hour; at 00:00 on Sundays)",
        ),
    ]);
}

#[test]
fn what_would_take_too_many_words_is_left_as_it_is() {
    for text in [
        "cron 1,2,4,7,11,16,22,29,37,46,51,53,58 * * * *",
        "cron 0 0,1,3,4,6,7,9,10,12,13,15,16,18 * * * timezone=Europe/Berlin",
        "cron 0 0 1,2,4,5,7,8,10,11,13,14,16,17,20 * *",
    ] {
        assert_eq!(describe(text), text);
    }
}

#[derive(Debug)]
struct Named(&'static str);

impl CustomTrigger for Named {
    fn next_after(&self, _: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }

    fn describe(&self) -> String {
        self.0.to_owned()
    }
}

#[test]
fn custom_triggers_speak_for_themselves() {
    let trigger = Trigger::custom(Named("at high tide"));
    assert_eq!(trigger.describe(), "at high tide");
    assert!(!Trigger::custom(Named(" ")).describe().is_empty());
    let either = Trigger::or(vec![trigger, Trigger::cron("@daily").unwrap()]).unwrap();
    assert_eq!(
        either.describe(),
        "at each of these: at high tide; every day at 00:00"
    );
}

/// Expressions in many spellings, many of which mean the same.
#[cfg(feature = "time-zones")]
fn family() -> Vec<String> {
    let mut family = Vec::new();
    for minute in [
        "0",
        "*",
        "*/15",
        "0/15",
        "0,15,30,45",
        "0-59/15",
        "*/7",
        "5/15",
        "0,30",
        "0-0",
    ] {
        for hour in [
            "*",
            "9",
            "9-9",
            "9-17",
            "*/6",
            "0,6,12,18",
            "2",
            "0-23",
            "2,3",
            "8-9",
        ] {
            for (day, month, weekday) in [
                ("*", "*", "*"),
                ("1-31", "*", "fri"),
                ("?", "*", "mon-fri"),
                ("*", "*", "1-5"),
                ("13", "*", "fri"),
                ("*/2", "*", "fri"),
                ("1-31/2", "*", "fri"),
                ("L", "1-12", "*"),
                ("*", "*/3", "0-7"),
                ("*", "1,4,7,10", "*"),
                ("*", "*", "fri#2,mon"),
                ("25", "10", "*"),
                ("*", "*", "sun"),
            ] {
                for changes in ["", " gap=skip", " gap=next", " fold=first", " fold=both"] {
                    family.push(format!(
                        "{minute} {hour} {day} {month} {weekday}{changes} timezone=Europe/Berlin"
                    ));
                }
            }
        }
    }
    family
}

#[cfg(feature = "time-zones")]
#[test]
fn the_same_words_mean_the_same_instants() {
    // A few days before each of the changes of Berlin's clocks, and in between.
    let starts = ["2026-03-27", "2026-10-23", "2026-06-01"]
        .map(|day| format!("{day}T00:00:00Z").parse::<DateTime<Utc>>().unwrap());
    let mut known = std::collections::HashMap::new();
    let (mut shared, mut worded) = (0, 0);
    let family = family();
    for text in &family {
        let Ok(trigger) = text.parse::<Trigger>() else {
            continue;
        };
        let words = trigger.describe();
        assert!(!words.is_empty());
        worded += usize::from(words != trigger.to_string());
        let fires: Vec<Vec<_>> = starts
            .iter()
            .map(|start| trigger.upcoming(*start).take(200).collect())
            .collect();
        match known.get(&words) {
            Some((other, same)) => {
                shared += 1;
                assert_eq!(&fires, same, "{text} and {other} are both: {words}");
            }
            None => {
                known.insert(words, (text.clone(), fires));
            }
        }
    }
    assert!(shared > 1_000, "{shared} of {}", family.len());
    assert!(
        worded * 10 > family.len() * 9,
        "{worded} of {}",
        family.len()
    );
}
