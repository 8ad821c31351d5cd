use super::*;

use chrono::{DateTime, Utc};

use crate::Trigger;

#[test]
fn carets_count_characters_not_bytes() {
    let error = TriggerError::new("bad").at("ä ".len().."ä x".len());
    assert_eq!(error.with_carets("ä x"), "bad\n  ä x\n    ^");
}

#[test]
fn several_errors_are_flat_and_keep_their_order() {
    let inner = TriggerError::new("c").after(Some(TriggerError::new("b")));
    let all = inner.after(Some(TriggerError::new("a").after(None)));
    assert_eq!(all.to_string(), "a; also: b; also: c");
    assert_eq!(all.all().count(), 3);
}

/// Returns the fire times that follow a few instants of a year.
fn fires(trigger: &Trigger) -> Vec<DateTime<Utc>> {
    let starts = [
        "2026-11-30T07:31:15Z",
        "2027-02-27T00:00:00Z",
        "2027-07-30T22:10:00Z",
    ];
    let starts = starts.map(|start| start.parse::<DateTime<Utc>>().unwrap());
    let first = |start| trigger.upcoming(start).take(40);
    starts.into_iter().flat_map(first).collect()
}

/// Applies the advice of each error of a text, last first, since their positions move.
fn follow_all(text: &str, error: &TriggerError) -> Option<String> {
    let mut followed = text.to_owned();
    let mut errors: Vec<_> = error.all().collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.span().map(|span| span.start)));
    for error in errors {
        followed = error.clone().alone().in_text(&followed).followed()?;
    }
    Some(followed)
}

/// What each text was most likely meant as; `None` if that is unknown.
///
/// One function, since it is a table.
const MEANT: &[(&str, Option<&str>)] = &[
    // Items of fields.
    ("0 24 * * *", Some("0 0 * * *")),
    ("60 6 * * *", Some("0 6 * * *")),
    ("0 0-24 * * *", Some("0 * * * *")),
    ("0 8-24 * * *", None),
    ("0 25 * * *", None),
    ("0 9 * * mno", Some("0 9 * * mon")),
    ("0 9 * * monday-friday", Some("0 9 * * mon-fri")),
    ("0 9 * * tues", Some("0 9 * * tue")),
    ("0 9 * sept *", Some("0 9 * 9 *")),
    ("0 9 1 juen *", Some("0 9 1 6 *")),
    ("0 9 1 juh *", None),
    ("0 9 1 foo *", None),
    ("0 9 1 abc *", None),
    ("0 9 * * tus", Some("0 9 * * tue")),
    ("0 9 * * sut", None),
    ("0 9 * * xyz", None),
    ("0 9 mon * *", None),
    ("0 5pm * * *", Some("0 17 * * *")),
    ("0 12am * * *", Some("0 0 * * *")),
    ("0 9h * * *", Some("0 9 * * *")),
    ("0 9 1st * *", Some("0 9 1 * *")),
    ("0 9 32nd * *", None),
    ("5x 9 * * *", None),
    ("30s 9 * * *", None),
    ("0 6:30 * * *", None),
    ("0 9 * * fri-", None),
    ("0 9-5x * * *", None),
    // Ranges.
    ("0 5- * * *", Some("0 5-23 * * *")),
    ("0 0 5- * *", Some("0 0 5-31 * *")),
    ("0 0 1 oct- *", Some("0 0 1 10-12 *")),
    ("0 -5 * * *", None),
    ("0 0 0 1 1 * 2029-2027", Some("0 0 0 1 1 * 2027-2029")),
    ("0 0 0 1 1 * 2029-2027/2", Some("0 0 0 1 1 * 2027,2029")),
    // Steps.
    ("/5 * * * *", Some("*/5 * * * *")),
    ("*/+10 * * * *", Some("*/10 * * * *")),
    ("*/0 * * * *", None),
    ("*/5m * * * *", Some("*/5 * * * *")),
    ("*/5min * * * *", Some("*/5 * * * *")),
    ("*/x * * * *", None),
    ("*/5x * * * *", None),
    ("0 */5m * * *", Some("every 5m")),
    ("0 */5m * * mon-fri", None),
    ("*/2h * * * *", Some("every 2h")),
    ("0 0 */2d * *", Some("0 0 */2 * *")),
    ("0 */2d * * *", None),
    ("*/90 * * * *", Some("every 90m")),
    ("0/90 * * * *", Some("every 90m")),
    ("5/90 * * * *", None),
    ("*/90 9-17 * * *", None),
    ("*/90 * * * mon", None),
    ("0 */36 * * *", Some("every 36h")),
    ("30 */36 * * *", None),
    ("*/90 * * * * *", Some("every 90s")),
    // Days counted in other ways.
    ("0 0 L-0 * *", Some("0 0 L * *")),
    ("0 0 L-0W * *", Some("0 0 LW * *")),
    ("0 0 L-31 * *", None),
    ("0 0 L-x * *", None),
    ("0 0 * * L", None),
    ("0 0 * * fri#6", None),
    ("0 0 31 2 *", Some("0 0 L 2 *")),
    ("0 0 31 4,6 *", Some("0 0 30 4,6 *")),
    ("0 0 31W 6 *", Some("0 0 LW 6 *")),
    ("0 0 L-30 2 *", None),
    ("0 0 0 29 2 * 2027", None),
    // From other schedulers.
    ("H 6 * * *", Some("0 6 * * *")),
    ("H/15 * * * *", Some("*/15 * * * *")),
    ("H(10-29) 6 * * *", Some("10 6 * * *")),
    ("H(0-29)/10 * * * *", Some("0,10,20 * * * *")),
    ("0 0 H * *", Some("0 0 1 * *")),
    ("10~40 6 * * *", Some("10 6 * * *")),
    ("~ 6 * * *", Some("0 6 * * *")),
    ("~40 6 * * *", Some("0 6 * * *")),
    ("5,10~40 6 * * *", None),
    ("0 12 * * ? *", Some("0 12 * * *")),
    ("0 10 ? * 2-6 *", Some("0 10 * * mon-fri")),
    ("0 8 1 * ? 2027", Some("0 0 8 1 * * 2027")),
    ("cron(0 18 ? * MON-FRI *)", Some("0 18 * * mon-fri")),
    ("cron(0 18 ? * 2-6 2027)", Some("0 0 18 * * mon-fri 2027")),
    ("rate(5 minutes)", Some("every 5m")),
    ("rate(5 months)", None),
    ("CRON_TZ=Asia/Tokyo 0 6 * * *", Some("0 21 * * *")),
    ("TZ=Asia/Tokyo 0 6 * * *", Some("0 21 * * *")),
    ("timezone=Asia/Tokyo 0 6 * * *", Some("0 21 * * *")),
    ("CRON_TZ=Nowhere 0 6 * * *", None),
    ("noon", Some("0 12 * * *")),
    ("every day at 9am", None),
    ("cron day='last workday'", Some("cron day=LW")),
    ("0 ? * * * *", Some("0 * * * * *")),
    ("? * * * *", Some("* * * * *")),
    ("0 12 ? * ? *", None),
    ("0 0 29 2 * 2028", Some("0 0 0 29 2 * 2028")),
    ("0-60/5 * * * *", Some("*/5 * * * *")),
    ("0 9 * 0-11 *", None),
    ("0 6 * * mon-fri,!wed", None),
    ("0 6 * * !sun", None),
    ("0 12 * * LFRI", Some("0 12 * * friL")),
    ("0 12 * * mon#L", Some("0 12 * * monL")),
    ("0 12 * * fri#-1", Some("0 12 * * friL")),
    ("0 9 last * *", Some("0 9 L * *")),
    ("0 9 -1 * *", Some("0 9 L * *")),
    ("0 6 * * * jitter=30s", None),
    ("0 6 * * * timezone=Asia/Delhi", Some("30 0 * * *")),
    ("0 6 * * * timezone=GMT-14", None),
    ("0 9 * * lun", None),
    ("0 9 * * jue", None),
    ("0 9 * * don", None),
    ("0 9 1 lug *", None),
    ("* /5 * * * *", Some("*/5 * * * *")),
    ("0, 30 * * * *", Some("0,30 * * * *")),
    ("*/5 9 - 17 * * *", Some("*/5 9-17 * * *")),
    ("*/ 5 * * * *", Some("*/5 * * * *")),
    ("*/90 0 * * *", None),
    ("0 */36 * * 0", None),
    ("*/90 * * * 0", None),
    ("99 0 29 2 * 2028", None),
    ("0 12 * * ? 2027-2026", None),
    ("0 0 0 1 1 * 2030-2027/5", None),
    ("H/99 * * * *", None),
    ("cron(10 60 6 *)", None),
    ("cron(0 9 * * *)", Some("0 9 * * *")),
    ("cron(0 12 * * ? *) timezone=UTC", Some("0 12 * * *")),
    ("at(2026-12-24T13:00:00)", Some("at 2026-12-24T13:00:00Z")),
    ("every(5m)", Some("every 5m")),
    ("and", None),
    ("or", None),
    ("1798761540", Some("at 2026-12-31T23:59:00Z")),
    ("179876154012", None),
    ("@weekdays", Some("0 0 * * mon-fri")),
    ("@biweekly", None),
    ("@minutely", Some("* * * * *")),
    ("@noon", Some("0 12 * * *")),
    ("@day", Some("@daily")),
    ("@startup", None),
    ("never", None),
    ("quarterly", Some("0 0 1 1,4,7,10 *")),
    ("every monday", Some("0 0 * * mon")),
    ("every fri", Some("0 0 * * fri")),
    ("daily at 17:00", Some("0 17 * * *")),
    ("interval 5m", Some("every 5m")),
    ("OR(0 6 * * *; 0 7 * * *)", Some("0 6,7 * * *")),
    ("or 0 6 * * *; 0 18 * * *", Some("0 6,18 * * *")),
    ("0 6 * * * | 0 18 * * *", Some("0 6,18 * * *")),
    ("0 6 * * *;", Some("0 6 * * *")),
    ("'0 6 * * *'", Some("0 6 * * *")),
    ("0 6 * * * # in the morning", Some("0 6 * * *")),
    ("cron: 0 6 * * *", Some("0 6 * * *")),
    (
        "0 6 * * * until 2026-12-24",
        Some("0 6 * * * end=2026-12-24"),
    ),
    ("0 6 * * mon\u{2013}fri", Some("0 6 * * mon-fri")),
    ("0\u{3000}6 * * *", Some("0 6 * * *")),
    ("0 6 \u{2217} * *", Some("0 6 * * *")),
    ("0 6 * * mon\u{ff0c}fri", Some("0 6 * * mon,fri")),
    ("0 6 * * *\u{200b}", Some("0 6 * * *")),
    ("PT15M", Some("every 15m")),
    ("P1DT12H", Some("every 36h")),
    ("P1M", Some("calendar months=1")),
    (
        "at 2026-12-24T18:00 Europe/Berlin",
        Some("at 2026-12-24T17:00Z"),
    ),
    ("at 2026-12-24T18:00 CET", Some("at 2026-12-24T17:00Z")),
    (
        "2026-12-31T23:59:00+01:00[Europe/Berlin]",
        Some("at 2026-12-31T22:59:00Z"),
    ),
    ("2026-12-31T23:59:00+02:00[Europe/Berlin]", None),
    (
        "every 3 months start=2026-01-01",
        Some("calendar months=3 start=2026-01-01"),
    ),
    (
        "every 2 years end=2030-01-01",
        Some("calendar years=2 end=2030-01-01"),
    ),
    (
        "*/90 * * * * timezone=Europe/Berlin end=2027-01-01",
        Some("every 90m timezone=Europe/Berlin end=2027-01-01"),
    ),
    (
        "or(every 3 months; 0 6 * * *)",
        Some("or(calendar months=3; 0 6 * * *)"),
    ),
    ("and(every 2w; 0 6 * * mon)", None),
    ("every 1h 30", None),
    ("every 2h15", None),
    ("every 5 jours", None),
    ("every - 5m", None),
    ("every 5m-", None),
    ("every -PT5M", None),
    ("every 0.1ms", None),
    ("every P0D", None),
    // Whole expressions.
    ("0 6 * *", Some("0 6 * * *")),
    ("0 6", Some("0 6 * * *")),
    ("cron 5", None),
    ("cron 5m", Some("every 5m")),
    ("@dayly", Some("@daily")),
    ("@reboot", None),
    ("@mothly", Some("@monthly")),
    ("daily", Some("@daily")),
    // By field.
    ("cron day='2th tue'", Some("cron day='2nd tue'")),
    ("cron day='second tue'", Some("cron day='2nd tue'")),
    ("cron day='2nd teusday'", Some("cron day='2nd tue'")),
    ("cron day='2nd txx'", None),
    ("cron day_of_week=1-5", None),
    ("cron day_of_week=0-4", None),
    ("cron day_of_week=*/2", None),
    ("cron day_of_week=''", None),
    ("cron hours=6", Some("cron hour=6")),
    ("cron weekday=fri", Some("cron day_of_week=fri")),
    ("cron minute=*/90", Some("every 90m")),
    ("cron minute=*/90 hour=9", None),
    ("cron day=31 month=2", Some("cron day=last month=2")),
    // Durations.
    ("every 5", Some("every 5s")),
    ("every 5 minuts", Some("every 5m")),
    ("every 5M", Some("every 5m")),
    ("every 1h 5 minuts", Some("every 1h 5m")),
    ("every 1.5h", Some("every 90m")),
    ("every -5m", Some("every 5m")),
    ("every h", Some("every 1h")),
    ("every PT1H30M", Some("every 90m")),
    ("every P1D", Some("every 1d")),
    ("every P1M", None),
    ("every 5m 5m", None),
    ("every 1h 30m 1h", None),
    ("every 5 lightyears", None),
    ("every 3 months", Some("calendar months=3")),
    ("every 1 year", Some("calendar years=1")),
    ("every 0s", None),
    ("every 5x", None),
    ("@every 5 minuts", Some("every 5m")),
    // Kinds and their words.
    ("evry 5m", Some("every 5m")),
    ("calender months=1", Some("calendar months=1")),
    ("minute=5 hour=*", Some("5 * * * *")),
    ("months=2 time=06:00", Some("calendar months=2 time=06:00")),
    ("every=5m", Some("every 5m")),
    ("timezone=UTC", None),
    ("or(5m, 0 6 * * *)", Some("or(5m; 0 6 * * *)")),
    ("tomorrow", None),
    ("at tomorrow", None),
    ("at 2026-02-30", None),
    (
        "calendar days=1 time=9:30pm",
        Some("calendar days=1 time=21:30"),
    ),
    ("calendar days=1 time=24:00", None),
    (
        "calendar days=2 start=2026-01-05T00:00",
        Some("calendar days=2 start=2026-01-05"),
    ),
    ("calendar days=2 start=2026-01-05T03:00+08:00", None),
    // Options.
    (
        "0 6 * * * timezone=Europe/Berln",
        Some("0 6 * * * timezone=Europe/Berlin"),
    ),
    (
        "0 6 * * * timezone=berlin",
        Some("0 6 * * * timezone=Europe/Berlin"),
    ),
    (
        "0 6 * * * timezone=PST",
        Some("0 6 * * * timezone=America/Los_Angeles"),
    ),
    ("0 6 * * * timezone=CST", None),
    ("0 6 * * * timezone=Local", None),
    ("0 6 * * * timezone=+08:00", Some("0 22 * * *")),
    ("0 6 * * * timezone=UTC+5:30", None),
    ("0 6 * * * timezon=Asia/Tokyo", Some("0 21 * * *")),
    ("0 6 * * * tz=Asia/Tokyo", Some("0 21 * * *")),
    ("0 6 * * * gap=skipp", Some("0 6 * * *")),
    ("0 6 * * * start=soon", None),
];

#[cfg(feature = "time-zones")]
#[test]
fn who_follows_advice_gets_what_was_meant() {
    let mut wrong = Vec::new();
    for (text, meant) in MEANT {
        let error = text.parse::<Trigger>().expect_err(text);
        let followed = follow_all(text, &error);
        let matches = match (&followed, meant) {
            (None, None) => true,
            (Some(followed), Some(meant)) => match followed.parse::<Trigger>() {
                Ok(trigger) => {
                    let meant: Trigger = meant.parse().unwrap();
                    resolved(&trigger) == resolved(&meant)
                }
                Err(_) => false,
            },
            _ => false,
        };
        if !matches {
            wrong.push(format!(
                "{text}: {error}\n  leads to {followed:?}, meant was {meant:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Returns the fire times of a trigger that is added now.
#[cfg(feature = "time-zones")]
fn resolved(trigger: &Trigger) -> Vec<DateTime<Utc>> {
    let now = "2026-11-30T07:00:00Z".parse().unwrap();
    fires(&trigger.resolve(now, crate::Zone::UTC).unwrap())
}

#[test]
fn refusals_say_which_part_is_wrong() {
    for (text, said) in [
        ("0 6 * * * jitter=30s", "it is an option of the job"),
        (
            "0 6 * * * foo=1",
            "there are timezone, start, end, gap, fold",
        ),
        ("0 6 * * !sun", "leaves a value out"),
        ("at 2027-02-29T00:00:00Z", "February 2027 has no day 29"),
        (
            "at 2026-12-31T24:00:00Z",
            "the end of a day is `00:00` of the next",
        ),
        ("0 6 * * * timezone=+0530", "name the region"),
        ("0 6 * * * timezone=GMT-13", "from UTC-12 to UTC+14"),
        ("0 6 * * * timezone=none", "leave it out"),
        ("0 6 * * mon\u{2013}fri", "(U+2013) looks like `-`"),
        ("0 6 * * mon#L", "`L` in `mon#L`"),
        ("cron(10 60 6 *)", "`cron` takes no parentheses"),
        ("and", "`and` has its triggers in parentheses"),
    ] {
        let error = text.parse::<Trigger>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}
