//! Properties of every trigger, tested on random ones around the clock changes of many zones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers are tests too"
)]

mod brute;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use scheduler_triggers::{Count, Effort, Fold, Gap, Trigger, Zone};

use brute::{Dates, Expr, WEEKDAYS, expr, instants, list};

/// Zones, with days close to their clock changes.
const CHANGES: [(Tz, &str); 49] = [
    (Tz::UTC, "2026-03-29"),
    (Tz::UTC, "2024-02-27"),
    (Tz::America__New_York, "2026-03-08"),
    (Tz::America__New_York, "2026-11-01"),
    (Tz::Europe__Berlin, "2026-03-29"),
    (Tz::Europe__Berlin, "2026-10-25"),
    (Tz::Europe__Berlin, "2096-10-28"),
    (Tz::Europe__London, "2026-10-25"),
    (Tz::Asia__Shanghai, "2026-12-30"),
    (Tz::Asia__Shanghai, "1991-04-14"),
    (Tz::Asia__Shanghai, "1991-09-15"),
    (Tz::Pacific__Apia, "2011-12-30"),
    (Tz::Pacific__Apia, "2021-04-04"),
    (Tz::Pacific__Kwajalein, "1993-08-21"),
    (Tz::Australia__Lord_Howe, "2026-04-05"),
    (Tz::Australia__Lord_Howe, "2026-10-04"),
    (Tz::Asia__Beirut, "2022-03-27"),
    (Tz::Asia__Beirut, "2022-10-30"),
    (Tz::America__Havana, "2019-03-10"),
    (Tz::America__Havana, "2019-11-03"),
    (Tz::America__Asuncion, "2023-10-01"),
    (Tz::America__Asuncion, "2024-03-24"),
    (Tz::America__Santiago, "2026-04-05"),
    (Tz::America__Santiago, "2026-09-06"),
    (Tz::Antarctica__Troll, "2026-03-29"),
    (Tz::Antarctica__Troll, "2026-10-25"),
    (Tz::Asia__Kolkata, "2026-06-01"),
    (Tz::Africa__Casablanca, "2023-03-19"),
    (Tz::Africa__Casablanca, "2023-04-23"),
    (Tz::Africa__Cairo, "2010-08-11"),
    (Tz::Asia__Gaza, "2011-08-30"),
    (Tz::America__St_Johns, "2006-04-02"),
    (Tz::America__St_Johns, "2006-10-29"),
    (Tz::Asia__Pyongyang, "2015-08-15"),
    (Tz::Asia__Pyongyang, "2018-05-05"),
    (Tz::America__Caracas, "2016-05-01"),
    (Tz::Africa__Cairo, "2023-04-28"),
    (Tz::Africa__Cairo, "2023-10-27"),
    (Tz::Europe__Dublin, "1971-10-31"),
    (Tz::Europe__Dublin, "2026-03-29"),
    (Tz::Antarctica__Casey, "2020-10-04"),
    (Tz::Antarctica__Casey, "2018-03-11"),
    (Tz::America__Nuuk, "2023-03-26"),
    (Tz::America__Nuuk, "2026-10-25"),
    (Tz::Asia__Tehran, "2022-03-22"),
    (Tz::Asia__Tehran, "2022-09-22"),
    (Tz::Pacific__Kiritimati, "1994-12-31"),
    (Tz::Asia__Kathmandu, "1986-01-01"),
    (Tz::America__Sao_Paulo, "2018-11-04"),
];

fn day(text: &str) -> DateTime<Utc> {
    format!("{text}T00:00:00Z").parse().unwrap()
}

/// Generates a zone and an instant within three days of a clock change there.
fn place() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    (
        prop::sample::select(&CHANGES[..]),
        -3 * 86_400_000_i64..2 * 86_400_000,
    )
        .prop_map(|((zone, date), millis)| (zone, day(date) + TimeDelta::milliseconds(millis)))
}

fn ours(zone: Tz) -> Zone {
    zone.try_into().unwrap()
}

/// Builds the trigger of an expression; `None` if it is refused because it can never fire.
fn build(expr: &Expr, zone: Tz) -> Option<Trigger> {
    match expr.text().parse::<Trigger>() {
        Ok(trigger) => Some(trigger.timezone(ours(zone)).unwrap()),
        Err(error) => {
            assert!(error.to_string().contains("never fire"), "{error:#}");
            None
        }
    }
}

fn listed(trigger: &Trigger, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    trigger.upcoming(from).take_while(|at| *at <= to).collect()
}

/// Generates any trigger that has a text form.
fn trigger() -> impl Strategy<Value = Trigger> {
    let cron =
        (expr(), place()).prop_filter_map("never fires", |(expr, (zone, _))| build(&expr, zone));
    let interval =
        (1..10_000_000_u64, place(), any::<bool>()).prop_map(|(millis, (_, at), ends)| {
            let every = std::time::Duration::from_millis(millis * 37);
            let trigger = Trigger::interval(every).unwrap().start(at).unwrap();
            if ends {
                trigger.end(at + TimeDelta::days(4)).unwrap()
            } else {
                trigger
            }
        });
    let calendar = (
        0..2_u32,
        0..14_u32,
        0..3_u32,
        1..40_u32,
        0..1440_u32,
        place(),
    )
        .prop_map(|(years, months, weeks, days, minute, (zone, at))| {
            let start = at.date_naive() - TimeDelta::days(40);
            Trigger::calendar_interval()
                .years(years)
                .months(months)
                .weeks(weeks)
                .days(days)
                .time(format!("{:02}:{:02}", minute / 60, minute % 60))
                .start_date(start)
                .build()
                .and_then(|trigger| trigger.timezone(ours(zone)))
                .unwrap()
        });
    let date = place().prop_map(|(_, at)| Trigger::date(at));
    let single = prop_oneof![4 => cron, 2 => interval, 2 => calendar, 1 => date];
    single.prop_recursive(2, 8, 3, |inner| {
        let children = prop::collection::vec(inner, 1..4);
        prop_oneof![
            children
                .clone()
                .prop_map(|children| Trigger::or(children).unwrap()),
            children.prop_map(|children| Trigger::and(children).unwrap()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn cron_agrees_with_brute_force(expr in expr(), (zone, from) in place()) {
        let to = from + TimeDelta::days(6);
        let expected = expr.fires(zone, from, to);
        match build(&expr, zone) {
            Some(trigger) => prop_assert_eq!(listed(&trigger, from, to), expected, "{} {}", expr.text(), zone),
            None => prop_assert!(expected.is_empty(), "{}", expr.text()),
        }
    }

    #[test]
    fn rare_days_agree_with_brute_force(mut expr in expr(), (zone, from) in place()) {
        // Few fire times per day, so that whole months can be compared.
        expr.hour = list_of("1,2,23");
        expr.minute = list_of("30");
        let to = from + TimeDelta::days(400);
        let expected = expr.fires(zone, from, to);
        if let Some(trigger) = build(&expr, zone) {
            prop_assert_eq!(listed(&trigger, from, to), expected, "{} {}", expr.text(), zone);
        } else {
            prop_assert!(expected.is_empty(), "{}", expr.text());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn calendars_agree_with_brute_force(
        (zone, from) in place(), (months, days) in (0..14_u32, 0..40_u32), minute in 0..1440_u32,
        gap in prop::option::of(prop::sample::select(vec![Gap::Next, Gap::Skip])),
        fold in prop::option::of(prop::sample::select(vec![Fold::First, Fold::Both])),
        ago in 0..4_000_i64,
    ) {
        prop_assume!(months + days > 0);
        let start = (from.date_naive() - TimeDelta::days(ago)).max(NaiveDate::default());
        let mut builder = Trigger::calendar_interval()
            .months(months).days(days).start_date(start)
            .time(format!("{:02}:{:02}", minute / 60, minute % 60))
            .build().unwrap().timezone(ours(zone)).unwrap();
        if let Some(gap) = gap {
            builder = builder.gap(gap).unwrap();
        }
        if let Some(fold) = fold {
            builder = builder.fold(fold).unwrap();
        }
        let to = from + TimeDelta::days(800);
        let mut expected: Vec<_> = Dates { start, months, days }
            .until(to.date_naive() + TimeDelta::days(2))
            .into_iter()
            .filter_map(|date| date.and_hms_opt(minute / 60, minute % 60, 0))
            .flat_map(|wall| {
                instants(zone, wall, gap != Some(Gap::Skip), fold == Some(Fold::Both))
            })
            .filter(|at| *at > from && *at <= to)
            .collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(listed(&builder, from, to), expected, "{}", builder);
    }

    #[test]
    fn bounds_on_the_wall_cut_what_fires(
        (zone, from) in place(), starts in -50..50_i64, lasts in 0..80_i64, whole_days in any::<bool>(),
    ) {
        // Every half hour, so that every clock change matters.
        let free = Trigger::cron("*/30 * * * *").unwrap().timezone(ours(zone)).unwrap();
        let wall = |hours: i64| from.naive_utc().with_second(0).unwrap() + TimeDelta::hours(hours);
        let (start, end) = (wall(starts), wall(starts + lasts));
        let first = |wall| instants(zone, wall, true, true)[0];
        let (bounded, first, last) = if whole_days {
            let (start, end) = (start.date(), end.date());
            let next = (end + TimeDelta::days(1)).and_hms_opt(0, 0, 0).unwrap();
            let late = instants(zone, next - TimeDelta::seconds(1), true, true);
            let midnight = first(next) - TimeDelta::microseconds(1);
            // The last minute of a day may occur a second time after midnight.
            let last = if late.len() == 2 { late[1].max(midnight) } else { midnight };
            (free.clone().start(start).and_then(|trigger| trigger.end(end)),
                first(start.and_hms_opt(0, 0, 0).unwrap()), last)
        } else {
            let last = instants(zone, end, true, true).pop().unwrap();
            (free.clone().start(start).and_then(|trigger| trigger.end(end)), first(start), last)
        };
        let (early, late) = (from - TimeDelta::days(6), from + TimeDelta::days(9));
        let expected: Vec<_> = listed(&free, early, late)
            .into_iter()
            .filter(|at| *at >= first && *at <= last)
            .collect();
        match bounded {
            Ok(bounded) => prop_assert_eq!(listed(&bounded, early, late), expected, "{}", bounded),
            Err(error) => prop_assert!(expected.is_empty(), "{}", error),
        }
    }

    #[test]
    fn and_is_what_is_common_and_or_is_all(
        a in expr(), b in expr(), (zone, from) in place(), (other, _) in place(),
    ) {
        let (Some(a), Some(b)) = (build(&a, zone), build(&b, other)) else { return Ok(()) };
        let to = from + TimeDelta::days(3);
        let (of_a, of_b) = (listed(&a, from, to), listed(&b, from, to));
        let common: Vec<_> = of_a.iter().filter(|at| of_b.contains(at)).copied().collect();
        let both = Trigger::and(vec![a.clone(), b.clone()]).unwrap();
        prop_assert_eq!(both.latest_in(from, to), common.last().copied(), "{}", both);
        prop_assert_eq!(both.count_in(from, to, 1_000_000).value, common.len() as u64, "{}", both);
        let mut all = [of_a, of_b].concat();
        all.sort_unstable();
        all.dedup();
        let either = Trigger::or(vec![a, b]).unwrap();
        prop_assert_eq!(listed(&either, from, to), all, "{}", either);
    }

    #[test]
    fn schedules_of_the_crate_cron_keep_their_kind_at_clock_changes(
        minute in list(0, 59), hour in list(0, 23), (zone, from) in place(),
    ) {
        let text = format!("0 {} {} * * *", minute.text(), hour.text());
        let Ok(schedule) = text.parse::<cron::Schedule>() else { return Ok(()) };
        let taken = Trigger::from(schedule).timezone(ours(zone)).unwrap();
        let written = Trigger::cron(&text).unwrap().timezone(ours(zone)).unwrap();
        let to = from + TimeDelta::days(3);
        prop_assert_eq!(listed(&taken, from, to), listed(&written, from, to), "{} {}", text, taken);
    }
}

fn list_of(text: &str) -> brute::List {
    brute::List::plain(
        text.split(',')
            .map(|value| value.parse().unwrap())
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn fire_times_come_later_and_do_not_depend_on_where_one_asks(
        trigger in trigger(), (_, from) in place(), part in 0..1_000_i64,
    ) {
        let Some(next) = trigger.next_after(from) else { return Ok(()) };
        prop_assert!(next > from);
        let wait = (next - from).num_microseconds().unwrap();
        let within = from + TimeDelta::microseconds(wait / 1_000 * part);
        if within < next {
            prop_assert_eq!(trigger.next_after(within), Some(next), "{}", trigger);
        }
        let just_before = next - TimeDelta::microseconds(1);
        prop_assert_eq!(trigger.next_after(just_before), Some(next), "{}", trigger);
        let nanosecond_before = next - TimeDelta::nanoseconds(1);
        prop_assert_eq!(trigger.next_after(nanosecond_before), Some(next), "{}", trigger);
    }

    #[test]
    fn forms_round_trip(trigger in trigger()) {
        let text = trigger.to_string();
        let again: Trigger = text.parse().unwrap_or_else(|error| panic!("{error:#}"));
        prop_assert_eq!(&again, &trigger, "{}", text);
        prop_assert_eq!(again.to_string(), text);
        let json = serde_json::to_value(&trigger).unwrap();
        prop_assert_eq!(serde_json::from_value::<Trigger>(json).unwrap(), trigger);
    }

    #[test]
    fn everything_can_be_described(trigger in trigger(), (_, now) in place()) {
        let words = trigger.describe();
        prop_assert!(!words.trim().is_empty(), "{}", trigger);
        let warnings = trigger.warnings(now);
        prop_assert!(warnings.iter().all(|warning| !warning.trim().is_empty()), "{}", trigger);
        prop_assert!(warnings.len() <= 20, "{}", trigger);
        let from = now - TimeDelta::microseconds(1);
        // Warnings have a budget of a million steps, which a costly search may exceed.
        if trigger.next_within(from, &mut Effort::steps(1_000_000)) == Ok(None) {
            prop_assert_eq!(warnings.len(), 1, "{}", trigger);
        }
    }

    #[test]
    fn what_is_said_of_clock_changes_holds(
        minute in list(0, 59), hours in prop::collection::vec(0..4_u32, 1..3), (zone, from) in place(),
    ) {
        // At night, when clocks change.
        let hours: Vec<_> = hours.iter().map(u32::to_string).collect();
        let text = format!("cron {} {} * * *", minute.text(), hours.join(","));
        let trigger = text.parse::<Trigger>().unwrap().timezone(ours(zone)).unwrap();
        for warning in trigger.warnings(from) {
            let Some((date, rest)) = warning
                .strip_prefix("on ")
                .and_then(|said| said.split_once(" does not exist in "))
            else {
                continue;
            };
            let lost = chrono::NaiveDateTime::parse_from_str(date, "%d %B %Y %H:%M").unwrap();
            prop_assert!(instants(zone, lost, false, true).is_empty(), "{} {}", trigger, warning);
            if rest.contains("does not run on that day") {
                let around = lost.and_utc();
                let fires = listed(&trigger, around - TimeDelta::days(3), around + TimeDelta::days(3));
                let on_that_day = |at: &DateTime<Utc>| at.with_timezone(&zone).date_naive() == lost.date();
                prop_assert!(!fires.iter().any(on_that_day), "{} {}", trigger, warning);
                continue;
            }
            let [instead] = instants(zone, lost, true, true)[..] else { panic!("{warning}") };
            prop_assert_eq!(
                trigger.next_after(instead - TimeDelta::microseconds(1)), Some(instead),
                "{} {}", trigger, warning
            );
            let shown = instead.with_timezone(&zone);
            prop_assert!(rest.contains(&shown.format("%H:%M").to_string()), "{} {}", trigger, warning);
        }
    }

    #[test]
    fn windows_agree_with_listing(
        trigger in trigger(), (_, from) in place(), minutes in 0..5_000_i64, cap in 0..50_u64,
    ) {
        let to = from + TimeDelta::minutes(minutes);
        let all: Vec<_> = listed(&trigger, from, to);
        prop_assert_eq!(trigger.latest_in(from, to), all.last().copied(), "{}", trigger);
        let count = trigger.count_in(from, to, cap);
        let value = all.len() as u64;
        if trigger.kind() == "interval" || value <= cap {
            prop_assert_eq!(count, Count { value, exact: true }, "{}", trigger);
        } else {
            prop_assert_eq!(count, Count { value: cap, exact: false }, "{}", trigger);
        }
    }

    #[test]
    fn the_crate_cron_agrees_in_utc(
        minute in list(0, 59), hour in list(0, 23), day in list(1, 31), month in list(1, 12),
        weekday in 0..7_usize, restrict in 0..3, seconds in 0..400_000_000_i64,
    ) {
        let (day, weekday) = match restrict {
            0 => (day.text(), "*"),
            1 => ("*".to_owned(), WEEKDAYS[weekday]),
            // Both restricted: the crate requires both, crontab either. Its schedules keep that.
            _ => (day.text(), WEEKDAYS[weekday]),
        };
        let text = format!("0 {} {} {day} {} {weekday}", minute.text(), hour.text(), month.text());
        let Ok(schedule) = text.parse::<cron::Schedule>() else { return Ok(()) };
        let from = day_of_2026() + TimeDelta::seconds(seconds);
        // Triggers end with the year 2099, the crate's schedules a year later.
        let known = schedule.after(&from).take_while(|at| at.year() < 2100);
        let expected: Vec<_> = known.take(10).collect();
        if restrict < 2 && let Ok(trigger) = Trigger::cron(&text) {
            let ours: Vec<_> = trigger.upcoming(from).take(10).collect();
            prop_assert_eq!(ours, expected.clone(), "{}", text);
        }
        let taken = Trigger::from(schedule);
        let ours: Vec<_> = taken.upcoming(from).take(expected.len()).collect();
        prop_assert_eq!(&ours, &expected, "{} as {}", text, taken);
        if !expected.is_empty() {
            prop_assert_eq!(taken.to_string().parse::<Trigger>().unwrap(), taken);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in "\\PC{0,60}", words in "[*/0-9a-zLW#,;()=' @:-]{0,60}") {
        for text in [text, words] {
            if let Ok(trigger) = text.parse::<Trigger>() {
                prop_assert_eq!(&trigger.to_string().parse::<Trigger>().unwrap(), &trigger);
                let _ = trigger.next_after(day_of_2026());
            } else if let Err(error) = text.parse::<Trigger>() {
                let _ = format!("{error:#}");
            }
        }
    }
}

fn day_of_2026() -> DateTime<Utc> {
    day("2026-01-01")
}
