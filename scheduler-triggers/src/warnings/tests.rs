//! Long functions here are tables of cases: each case has a text and the expected result.

use super::*;
use crate::CustomTrigger;

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn warnings(text: &str) -> Vec<String> {
    text.parse::<Trigger>()
        .unwrap_or_else(|error| panic!("{text}: {error:#}"))
        .warnings(now())
}

#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, warnings(text), expected))
        .filter(|(_, found, expected)| found != *expected)
        .map(|(text, found, expected)| format!("{text}\n  is  {found:#?}\n  not {expected:#?}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const NO_ZONE: &str = "no time zone is named: the time of day is that of the scheduler's zone, \
                       which is UTC unless set otherwise";

#[test]
fn nothing_is_said_about_what_does_not_surprise() {
    check(&[
        ("every 5m", &[]),
        ("*/5 * * * *", &[]),
        ("@hourly", &[]),
        ("0 6 * * * timezone=Asia/Shanghai", &[]),
        ("0 9 * * mon-fri timezone=Europe/Berlin", &[]),
        ("0 0 28-31 * * timezone=UTC", &[]),
        ("0 23 L * * timezone=UTC", &[]),
        ("*/15 9-17 * * mon-fri timezone=Europe/Berlin", &[]),
        ("*/10 * * * * *", &[]),
        ("at now", &[]),
        ("at 2026-11-24T12:00:00Z", &[]),
        ("calendar weeks=2 time=09:00 timezone=Europe/Berlin", &[]),
        (
            "calendar months=1 time=09:00 start=2026-01-28 timezone=UTC",
            &[],
        ),
        ("cron day=13 hour=5 timezone=UTC", &[]),
    ]);
}

#[test]
fn what_never_runs_any_more() {
    check(&[
        (
            "at 2025-12-04T10:00:00Z",
            &["4 December 2025 10:00 UTC has passed: it never runs"],
        ),
        (
            "at 2025-12-04T10:00 timezone=Asia/Shanghai",
            &["4 December 2025 at 10:00 in Asia/Shanghai has passed: it never runs"],
        ),
        (
            "0 9 * * * end=2026-10-31T10:00:00Z timezone=Europe/Berlin",
            &["it ended on 31 October 2026 at 11:00 in Europe/Berlin: it no longer runs"],
        ),
        (
            "every 1h start=2026-01-01T00:00:00Z end=2026-02-01T00:00:00Z",
            &["it ended on 1 February 2026 00:00 UTC: it no longer runs"],
        ),
        (
            "0 0 9 * * * 2025",
            &["it names no instant after 24 November 2026 12:00 UTC: it does not run"],
        ),
        (
            "and(0 6 * * *; 0 7 * * *)",
            &[
                "no instant was found that all of its triggers name: it does not run, with UTC as \
               the zone of what names none",
            ],
        ),
        (
            "and(0 6 * * * timezone=UTC; 0 7 * * * timezone=UTC)",
            &["no instant was found that all of its triggers name: it does not run"],
        ),
        ("or(at 2025-12-04T10:00:00Z; @hourly)", &[]),
    ]);
}

#[test]
fn what_ends_soon() {
    check(&[
        (
            "0 9 * * * end=2026-12-01 timezone=Europe/Berlin",
            &["it ends soon: the last run is on 1 December 2026 at 09:00 in Europe/Berlin"],
        ),
        (
            "every 1h start=2026-11-24T12:30:00Z end=2026-11-30T00:00:00Z",
            &["it ends soon: the last run is on 29 November 2026 23:30 UTC"],
        ),
        ("0 9 * * * end=2026-12-31 timezone=UTC", &[]),
        (
            "or(@hourly end=2026-12-01T00:00:00Z; 30 * * * * end=2026-12-02T00:00:00Z)",
            &["it ends on 2 December 2026 00:00 UTC"],
        ),
        ("or(@hourly; 30 * * * * end=2026-12-02T00:00:00Z)", &[]),
    ]);
}

#[cfg(feature = "time-zones")]
#[test]
fn clock_changes() {
    check(&[
        (
            "30 2 * * * timezone=Europe/Berlin",
            &[
                "on 28 March 2027 02:30 does not exist in Europe/Berlin: it runs at 03:00 instead",
                "on 31 October 2027 02:30 occurs twice in Europe/Berlin: it runs the first time only",
            ],
        ),
        (
            "30 2 * * * gap=skip fold=both timezone=Europe/Berlin",
            &[
                "on 28 March 2027 02:30 does not exist in Europe/Berlin: it does not run then",
                "on 31 October 2027 02:30 occurs twice in Europe/Berlin: it runs both times",
            ],
        ),
        (
            "0,30 2 * * sun timezone=Europe/Berlin",
            &[
                "on 28 March 2027 02:00 and 02:30 do not exist in Europe/Berlin: it runs once, at 03:00 instead",
                "on 31 October 2027 02:00 and 02:30 occur twice in Europe/Berlin: it runs the first time only",
            ],
        ),
        (
            "0,10,20,30 1 * * * timezone=America/Los_Angeles",
            &[
                "on 7 November 2027 01:00 and other times occur twice in America/Los_Angeles: it runs the first time only",
            ],
        ),
        ("30 2 * * wed timezone=Europe/Berlin", &[]),
        ("30 2 * * * end=2027-03-01 timezone=Europe/Berlin", &[]),
        ("*/15 2,3 * * * timezone=Europe/Berlin", &[]),
        ("30 2 * * * timezone=Asia/Shanghai", &[]),
        // The year after next is too far away.
        ("0 30 2 * * * 2028 timezone=Europe/Berlin", &[]),
        // Chile's clocks go forward at midnight, and back into the day before.
        (
            "30 0 * * * timezone=America/Santiago",
            &[
                "on 5 September 2027 00:30 does not exist in America/Santiago: it runs at 01:00 instead",
            ],
        ),
        (
            "calendar days=1 time=02:30 timezone=Europe/Berlin",
            &[
                "on 28 March 2027 02:30 does not exist in Europe/Berlin: it runs at 03:00 instead",
                "on 31 October 2027 02:30 occurs twice in Europe/Berlin: it runs the first time only",
            ],
        ),
        (
            "at 2027-03-28T02:30 timezone=Europe/Berlin",
            &["on 28 March 2027 02:30 does not exist in Europe/Berlin: it runs at 03:00 instead"],
        ),
        (
            "at 2027-10-31T02:30 timezone=Europe/Berlin",
            &["on 31 October 2027 02:30 occurs twice in Europe/Berlin: it runs the first time"],
        ),
    ]);
    // A whole day that was skipped.
    let apia: Trigger = "0 6 * * * timezone=Pacific/Apia".parse().unwrap();
    assert_eq!(
        apia.warnings("2011-12-01T00:00:00Z".parse().unwrap())[0],
        "on 30 December 2011 06:00 does not exist in Pacific/Apia: it runs at 00:00 on 31 \
         December 2011 instead"
    );
    // Between the two: the first one is in the past.
    let berlin: Trigger = "30 2 * * * timezone=Europe/Berlin".parse().unwrap();
    let between = berlin.warnings("2026-10-25T00:45:00Z".parse().unwrap());
    assert_eq!(between.len(), 2, "{between:?}");
    assert!(between[1].contains("2027"), "{between:?}");
}

#[test]
fn days_that_some_months_lack() {
    check(&[
        (
            "0 0 31 * * timezone=UTC",
            &[
                "the 31st does not exist in every month: it does not run in February, April, June, \
               September and November; `L` is the last day of each month",
            ],
        ),
        (
            "0 0 30 * * timezone=UTC",
            &[
                "the 30th does not exist in every month: it does not run in February; `L` is the \
               last day of each month",
            ],
        ),
        (
            "0 0 29-31 * * timezone=UTC",
            &[
                "the 29th, 30th and 31st do not exist in every month: it runs in February in leap \
               years only; `L` is the last day of each month",
            ],
        ),
        (
            "0 0 1,31 * * timezone=UTC",
            &[
                "the 31st does not exist in every month: in the other months it runs on the other \
               days only; `L` is the last day of each month",
            ],
        ),
        (
            "cron day=31 month=4-9 timezone=UTC",
            &[
                "the 31st does not exist in all of these months: it does not run in April, June and \
               September; `last` is the last day of each month",
            ],
        ),
        ("0 0 31 1,3,5 * timezone=UTC", &[]),
        ("0 0 31,L * * timezone=UTC", &[]),
        (
            "0 0 31W * * timezone=UTC",
            &[
                "the 31st does not exist in every month: it does not run in February, April, June, \
               September and November; `LW` is the last weekday of each month",
            ],
        ),
        (
            "0 0 29 2 * timezone=UTC",
            &["29 February exists in leap years only: the next run is on 29 February 2028"],
        ),
        (
            "0 0 29 2 * timezone=Asia/Shanghai",
            &["29 February exists in leap years only: the next run is on 29 February 2028"],
        ),
        (
            "calendar months=1 start=2026-01-31 time=05:00 timezone=UTC",
            &[
                "the 31st does not exist in every month: it does not run in February, April, June, \
               September and November",
            ],
        ),
        (
            "calendar months=2 start=2026-01-31 time=05:00 timezone=UTC",
            &[
                "the 31st does not exist in all of these months: it does not run in September and \
               November",
            ],
        ),
        (
            "calendar years=1 start=2024-02-29 time=05:00 timezone=UTC",
            &["29 February exists in leap years only: the next run is on 29 February 2028"],
        ),
    ]);
}

#[test]
fn day_and_weekday_together() {
    check(&[
        (
            "0 0 13 * fri timezone=UTC",
            &[
                "day and weekday are both restricted: it runs when either of them matches, as in \
               crontab, not only when both do",
            ],
        ),
        (
            "cron day=13 day_of_week=fri timezone=UTC",
            &["day and weekday are both restricted: it runs only when both match"],
        ),
        (
            "0 0 */5 * fri timezone=UTC",
            &[
                "day and weekday must both match, since one of them begins with `*`: in crontab \
                 either is enough only where neither does",
                "`*/5` in day begins anew every month: the last step of a month is not always 5 \
                 days long",
            ],
        ),
        (
            "0 0 1-31 * fri timezone=UTC",
            &[
                "day and weekday are both given and either of them is enough, as in crontab: since \
               one of them allows every day, it runs every day",
            ],
        ),
        (
            "0 9 30 2 mon timezone=UTC",
            &[
                "day and weekday are both restricted: it runs when either of them matches, as in \
               crontab, not only when both do",
                "day 30 never occurs in month 2: it runs on the weekdays alone",
            ],
        ),
        ("0 0 ? * fri timezone=UTC", &[]),
    ]);
}

#[test]
fn uneven_steps() {
    check(&[
        (
            "*/7 * * * *",
            &[
                "`*/7` in minute begins anew every hour: from 56 to 0 are 4 minutes, not 7; `every \
               7m` keeps the distance",
            ],
        ),
        (
            "*/25 * * * *",
            &[
                "`*/25` in minute begins anew every hour: from 50 to 0 are 10 minutes, not 25; \
               `every 25m` keeps the distance",
            ],
        ),
        (
            "5/25 9-17 * * * timezone=UTC",
            &["`5/25` in minute begins anew every hour: from 55 to 5 are 10 minutes, not 25"],
        ),
        ("*/7 9 * * * timezone=UTC", &[]),
        ("10-40/7 * * * *", &[]),
        (
            "*/45 * * * * *",
            &[
                "`*/45` in second begins anew every minute: from 45 to 0 are 15 seconds, not 45; \
               `every 45s` keeps the distance",
            ],
        ),
        (
            "0 */5 * * * timezone=UTC",
            &[
                "`*/5` in hour begins anew every day: from 20 to 0 are 4 hours, not 5; `every 5h` \
               keeps the distance",
            ],
        ),
        (
            "0 */23 * * * timezone=UTC",
            &[
                "`*/23` in hour begins anew every day: from 23 to 0 is 1 hour, not 23; `every 23h` \
               keeps the distance",
            ],
        ),
        ("0 */5 * * mon timezone=UTC", &[]),
        (
            "cron minute=*/7",
            &[
                "`*/7` in minute begins anew every hour: from 56 to 0 are 4 minutes, not 7; `every \
               7m` keeps the distance",
            ],
        ),
        (
            "0 0 1 */5 * timezone=UTC",
            &["`*/5` in month begins anew every year: from 11 to 1 are 2 months, not 5"],
        ),
        (
            "0 0 */2 * * timezone=UTC",
            &[
                "`*/2` in day begins anew every month: the last step of a month is not always 2 \
               days long",
            ],
        ),
        (
            "0 0 * * */2 timezone=UTC",
            &[
                "`*/2` in day_of_week begins anew every week: the last step of a week is not 2 days \
               long",
            ],
        ),
    ]);
}

#[test]
fn what_runs_often() {
    check(&[
        (
            "* * * * * *",
            &[
                "it runs every second: that is 3,600 runs an hour, each with a record of its own; \
               the first field is the second: `0` there is once a minute",
            ],
        ),
        (
            "every 250ms",
            &[
                "it runs every 250 milliseconds: that is 14,400 runs an hour, each with a record of \
               its own",
            ],
        ),
        ("0,1,30 * * * * *", &[]),
        (
            "0,1,2,3,4,5,6,30 * * * * *",
            &["it runs 11 times within 1 minute 2 seconds"],
        ),
        ("every 10s", &[]),
        (
            "and(* * * * * *; every 1s start=2026-01-01T00:00:00Z)",
            &["it runs every second: that is 3,600 runs an hour, each with a record of its own"],
        ),
    ]);
}

#[test]
fn no_zone_for_a_time_of_day() {
    check(&[
        ("0 6 * * *", &[NO_ZONE]),
        ("*/15 9-17 * * *", &[NO_ZONE]),
        ("calendar days=1 time=06:00", &[NO_ZONE]),
        ("at 2026-12-31T18:00", &[NO_ZONE]),
        ("or(0 6 * * *; 0 7 * * *)", &[NO_ZONE]),
        ("*/15 * * * *", &[]),
    ]);
}

#[derive(Debug)]
struct Never;

impl CustomTrigger for Never {
    fn next_after(&self, _: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }
}

#[test]
fn others() {
    assert_eq!(Trigger::custom(Never).warnings(now()).len(), 1);
    let daily = Trigger::cron("@daily").unwrap();
    assert_eq!(daily.warnings(DateTime::<Utc>::MAX_UTC).len(), 1);
    assert_eq!(daily.warnings(DateTime::<Utc>::MIN_UTC), [NO_ZONE]);
    assert_eq!(thousands(999), "999");
    assert_eq!(thousands(1_234_567), "1,234,567");
}

#[cfg(feature = "time-zones")]
#[test]
fn days_that_are_lost_in_a_gap() {
    check(&[
        (
            "*/10 2 14 3 * timezone=America/New_York",
            &[
                "on 14 March 2027 02:00 and other times do not exist in America/New_York: `*/10 2 14 3 *` does not run \
                 on that day, and next on 14 March 2028; `gap=next` runs it once, at 03:00",
            ],
        ),
        (
            "*/15 2 * * * timezone=Europe/Berlin",
            &[
                "on 28 March 2027 02:00 and other times do not exist in Europe/Berlin: `*/15 2 * * *` does not run on \
                 that day; `gap=next` runs it once, at 03:00",
            ],
        ),
        (
            "30 2-2 * * sun timezone=Europe/Berlin",
            &[
                "on 28 March 2027 02:30 does not exist in Europe/Berlin: `30 2-2 * * sun` does not run on that day, and \
                 next on 4 April 2027; `gap=next` runs it once, at 03:00",
            ],
        ),
        ("*/15 2 * * * gap=next timezone=Europe/Berlin", &[]),
        ("*/15 2 * * * timezone=Asia/Tokyo", &[]),
        ("*/15 1-2 * * * timezone=Europe/Berlin", &[]),
        ("*/15 2 * * * end=2027-03-01 timezone=Europe/Berlin", &[]),
        ("*/30 2 * * wed timezone=Europe/Berlin", &[]),
        // Midnight itself is skipped in Chile, but not the hour after it.
        (
            "0 0-0 * * * timezone=America/Santiago",
            &[
                "on 5 September 2027 00:00 does not exist in America/Santiago: `0 0-0 * * *` does not run on that day; \
                 `gap=next` runs it once, at 01:00",
            ],
        ),
        ("0 0-1 * * * timezone=America/Santiago", &[]),
    ]);
}

#[test]
fn steps_that_name_one_value_alone() {
    check(&[
        (
            "0 0 1-7 * */7 timezone=UTC",
            &[
                "`*/7` in day_of_week only ever names Sunday, and begins with `*`, so that day and weekday \
                 must both match, as in crontab: `cron day=1-7 day_of_week=sun hour=0 timezone=UTC` says so",
            ],
        ),
        (
            "0 12 */100,1-7 * mon timezone=UTC",
            &[
                "`*/100` in day only ever names 1, and begins with `*`, so that day and weekday must both \
                 match, as in crontab: `cron day=1-7 day_of_week=mon hour=12 timezone=UTC` says so",
            ],
        ),
        (
            "0 */24 * * * timezone=UTC",
            &["`*/24` in hour only ever names 0: `0` says so"],
        ),
        (
            "0 9 * * */7 timezone=UTC",
            &["`*/7` in day_of_week only ever names Sunday: `sun` says so"],
        ),
        (
            "10-20/15 * * * *",
            &["`10-20/15` in minute only ever names 10: `10` says so"],
        ),
        (
            "0 9 1 oct/12 * timezone=UTC",
            &["`oct/12` in month only ever names 10: `10` says so"],
        ),
        (
            "cron hour=20-2/9 timezone=UTC",
            &["`20-2/9` in hour only ever names 20: `20` says so"],
        ),
        (
            "0 9 * * 7/2 timezone=UTC",
            &["`7/2` in day_of_week only ever names Sunday: `sun` says so"],
        ),
        (
            "0 0 1-31 * */7 timezone=UTC end=2027-12-31",
            &[
                "`*/7` in day_of_week only ever names Sunday: `cron day_of_week=sun hour=0 timezone=UTC \
                 end=2027-12-31` says so",
            ],
        ),
        (
            "0 0 */40 * 0-6 timezone=UTC",
            &["`*/40` in day only ever names 1: `cron day=1 hour=0 timezone=UTC` says so"],
        ),
        ("0 9 1 */6 * timezone=UTC", &[]),
    ]);
}

#[test]
fn weekdays_that_leave_out_sunday() {
    check(&[
        (
            "0 9 * * 1/2 timezone=UTC",
            &[
                "`1/2` in day_of_week ends with Saturday: it names Monday, Wednesday and Friday, not Sunday",
            ],
        ),
        (
            "cron day_of_week=mon/3 hour=9 timezone=UTC",
            &[
                "`mon/3` in day_of_week ends with Saturday: it names Monday and Thursday, not Sunday",
            ],
        ),
        ("0 9 * * 0,1/2 timezone=UTC", &[]),
        ("0 9 * * mon/2,sun timezone=UTC", &[]),
        (
            "0 9 * * 1/6 timezone=UTC",
            &["`1/6` in day_of_week only ever names Monday: `mon` says so"],
        ),
        ("0 9 * * mon-fri/2 timezone=UTC", &[]),
        ("0 9 * * tue/2 timezone=UTC", &[]),
    ]);
}

#[test]
fn hours_over_midnight_on_some_days() {
    check(&[
        (
            "0 22-2 * * fri timezone=UTC",
            &[
                "`22-2` in hour goes over midnight, and both parts lie on the days that are named: 00:00 to \
                 02:59 of such a day comes before its 22:00, not after",
            ],
        ),
        ("0 22-2 * * * timezone=UTC", &[]),
        ("cron day=L-3 hour=7-6 timezone=UTC", &[]),
    ]);
}

#[test]
fn ranges_over_the_end_that_the_fields_above_cut() {
    check(&[
        (
            "50-10 9 * * * timezone=UTC",
            &[
                "`50-10` in minute goes over the end of the hour, and both parts lie in the hours that are \
                 named: minute 0 to 10 of such an hour comes before its minute 50, not after",
            ],
        ),
        (
            "0 0 25-5 12 * timezone=UTC",
            &[
                "`25-5` in day goes over the end of the month, and both parts lie in the months that are \
                 named: day 1 to 5 of such a month comes before its day 25, not after",
            ],
        ),
        (
            "0 22-2 * 6 * timezone=UTC",
            &[
                "`22-2` in hour goes over midnight, and both parts lie on the days that are named: 00:00 to \
                 02:59 of such a day comes before its 22:00, not after",
            ],
        ),
        (
            "0 9-5 * * * timezone=UTC",
            &[
                "`9-5` in hour goes over midnight: 5 is in the morning, and 5 in the afternoon is 17",
            ],
        ),
        ("0 0 25-5 * * timezone=UTC", &[]),
        ("50-10 * * * *", &[]),
        ("0 0 1 nov-feb * timezone=UTC", &[]),
    ]);
}

#[test]
fn every_minute_of_an_hour() {
    check(&[
        (
            "* 6 * * mon timezone=UTC",
            &[
                "`*` in minute is every minute of the hours that are named, 60 runs in each: `0` there is \
                 once an hour",
            ],
        ),
        ("* 6-8 * * mon timezone=UTC", &[]),
        ("* * * * *", &[]),
    ]);
}

/// The rules for gaps and folds are part of when a trigger fires.
#[cfg(feature = "time-zones")]
#[test]
fn advice_keeps_the_rules_of_clock_changes() {
    check(&[
        (
            "0 */24 * * * timezone=Europe/Berlin",
            &["`*/24` in hour only ever names 0"],
        ),
        (
            "0 0 1-7 * */7 timezone=Europe/Berlin end=2028-01-01",
            &[
                "`*/7` in day_of_week only ever names Sunday, and begins with `*`, so that day and weekday \
                 must both match, as in crontab: `cron day=1-7 day_of_week=sun hour=0 timezone=Europe/Berlin \
                 end=2028-01-01` says so",
            ],
        ),
    ]);
}

/// Values in a number too many, or that name a day twice.
#[test]
fn every_step_of_weekdays_has_warnings() {
    for first in 0..=7 {
        for step in 1..=10 {
            for item in [
                format!("{first}/{step}"),
                format!("{first}-3/{step}"),
                format!("7,{first}/{step}"),
            ] {
                let _ = warnings(&format!("0 9 * * {item}"));
            }
        }
    }
}

#[test]
fn days_before_the_last_that_some_months_lack() {
    check(&[
        (
            "0 0 L-28 * * timezone=UTC",
            &["`L-28` does not exist in every month: it runs in February in leap years only"],
        ),
        (
            "0 0 L-29W * * timezone=UTC",
            &["`L-29` does not exist in every month: it names no day in February"],
        ),
        (
            "0 0 L-30 3-6 * timezone=UTC",
            &["`L-30` does not exist in every month: it names no day in April and June"],
        ),
        ("0 0 L-30 1,3 * timezone=UTC", &[]),
        ("0 0 L-27 * * timezone=UTC", &[]),
    ]);
}

#[test]
fn numbers_that_others_count_from_one() {
    check(&[
        (
            "0 0 12 ? * 2-6 timezone=UTC",
            &[
                "`2-6` in day_of_week counts from Sunday as 0, as in crontab; Quartz and EventBridge count \
                 Sunday as 1 and mean `0 0 12 ? * mon-fri`",
            ],
        ),
        (
            "0 12 ? * 6L timezone=UTC",
            &[
                "`6L` in day_of_week counts from Sunday as 0, as in crontab; Quartz and EventBridge count \
                 Sunday as 1 and mean `0 12 ? * friL`",
            ],
        ),
        (
            "0 15 10 ? * 6#3 2027 timezone=UTC",
            &[
                "`6#3` in day_of_week counts from Sunday as 0, as in crontab; Quartz and EventBridge count \
                 Sunday as 1 and mean `0 15 10 ? * fri#3 2027`",
            ],
        ),
        ("0 12 * * 1-5 timezone=UTC", &[]),
        ("0 0 12 * * mon-fri timezone=UTC", &[]),
        ("0 0 12 * * 0 timezone=UTC", &[]),
        ("0 0 12 * * 1-7 timezone=UTC", &[]),
    ]);
}

#[cfg(feature = "time-zones")]
#[test]
fn days_of_24_hours() {
    check(&[
        (
            "every 1d",
            &[
                "it counts 24 hours: where clocks change, its time of day moves; `calendar days=1 \
                 time=00:00`, with your time of day, keeps it",
            ],
        ),
        (
            "every 2w",
            &[
                "it counts 14 days of 24 hours: where clocks change, its time of day moves; `calendar \
                 weeks=2 time=00:00`, with your time of day, keeps it",
            ],
        ),
        (
            "every 1d start=2026-12-01T09:00 timezone=Europe/Berlin",
            &[
                "it counts 24 hours: its time of day moves when the clocks of Europe/Berlin change; \
                 `calendar days=1 time=09:00:00 start=2026-12-01 timezone=Europe/Berlin` keeps it",
            ],
        ),
        ("every 1d start=2026-12-01T09:00 timezone=Asia/Tokyo", &[]),
        ("every 1d start=2026-12-01T09:00 timezone=UTC", &[]),
        (
            "every 1d start=2026-12-01T09:00 end=2027-12-01 timezone=Europe/Berlin",
            &[
                "it counts 24 hours: its time of day moves when the clocks of Europe/Berlin change; \
                 `calendar days=1 time=09:00:00 start=2026-12-01 timezone=Europe/Berlin end=2027-12-01` \
                 keeps it",
            ],
        ),
        (
            "every 1d start=2026-12-01T09:00:00.5 timezone=Europe/Berlin",
            &["it counts 24 hours: its time of day moves when the clocks of Europe/Berlin change"],
        ),
        ("every 1d start=2026-12-01T09:00:00Z", &[]),
        ("every 12h", &[]),
        ("every 25h", &[]),
    ]);
}

#[test]
fn weeks_that_begin_anew() {
    check(&[
        (
            "cron week=*/2 day_of_week=tue hour=9 timezone=Europe/Berlin",
            &[
                "`*/2` in week begins anew every year, which has 52 weeks or 53: over the turn of a year it \
                 is not always 2 weeks; `calendar weeks=2 time=09:00 start=2026-12-01 \
                 timezone=Europe/Berlin` keeps the distance",
            ],
        ),
        (
            "cron week=2/4 day_of_week=mon,tue timezone=UTC",
            &[
                "`2/4` in week begins anew every year, which has 52 weeks or 53: over the turn of a year it \
                 is not always 4 weeks",
            ],
        ),
        ("cron year=2027 week=*/2 day_of_week=tue timezone=UTC", &[]),
        (
            "cron week=*/2 day_of_week=mon,tue#2 timezone=UTC",
            &[
                "`*/2` in week begins anew every year, which has 52 weeks or 53: over the turn of a year it \
                 is not always 2 weeks",
            ],
        ),
        (
            "cron week=*/2 day_of_week=tue hour=9 timezone=UTC end=2028-01-01",
            &[
                "`*/2` in week begins anew every year, which has 52 weeks or 53: over the turn of a year it \
                 is not always 2 weeks; `calendar weeks=2 time=09:00 start=2026-12-01 timezone=UTC \
                 end=2028-01-01` keeps the distance",
            ],
        ),
        ("cron week=10-20/2 day_of_week=tue timezone=UTC", &[]),
        ("cron week=7 day_of_week=tue timezone=UTC", &[]),
    ]);
}

#[cfg(feature = "time-zones")]
#[test]
fn zones_that_are_abbreviations() {
    check(&[
        (
            "0 9 * * * timezone=EST",
            &[
                "`EST` is UTC-5 all year round, in summer too: `America/New_York` is the zone whose clocks \
                 change",
            ],
        ),
        (
            "0 9 * * * timezone=CET",
            &[
                "`CET` is an old name that stays for compatibility: name the region, such as \
                 `Europe/Berlin`",
            ],
        ),
        (
            "calendar days=1 time=09:00 timezone=Etc/GMT+8",
            &["`Etc/GMT+8` is UTC-8: the sign of these names is the other way round"],
        ),
        ("0 9 * * * timezone=UTC", &[]),
    ]);
}
