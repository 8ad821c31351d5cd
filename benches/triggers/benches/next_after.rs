//! The next fire time of twelve typical expressions, in UTC and in New York, beside three crates.

use std::hint::black_box;

use bench_triggers::{EXPRESSIONS, starts, with_seconds};
use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::America::New_York;
use criterion::{Criterion, criterion_group, criterion_main};
use croner::Cron as Croner;
use scheduler_triggers::{Trigger, Tz};

/// Measures one look-up, going round the starting instants.
fn measure<R>(criterion: &mut Criterion, group: &str, name: &str, next: impl Fn(DateTime<Utc>) -> R) {
    let starts = starts();
    let mut round = starts.iter().cycle();
    criterion.bench_function(&format!("{group}/{name}"), |bencher| {
        bencher.iter(|| next(black_box(*round.next().unwrap_or(&DateTime::UNIX_EPOCH))));
    });
}

fn next_after(criterion: &mut Criterion) {
    for (name, expr) in EXPRESSIONS {
        let ours = Trigger::cron(expr).unwrap();
        let cron: cron::Schedule = with_seconds(expr).parse().unwrap();
        let croner: Croner = expr.parse().unwrap();
        let saffron: saffron::Cron = expr.parse().unwrap();
        measure(criterion, "utc", &format!("{name}/ours"), |at| ours.next_after(at));
        measure(criterion, "utc", &format!("{name}/cron"), |at| cron.after(&at).next());
        measure(criterion, "utc", &format!("{name}/croner"), |at| {
            croner.find_next_occurrence(&at, false).ok()
        });
        measure(criterion, "utc", &format!("{name}/saffron"), |at| saffron.next_after(at));

        let ours = ours.timezone(Tz::America__New_York).unwrap();
        measure(criterion, "new_york", &format!("{name}/ours"), |at| ours.next_after(at));
        measure(criterion, "new_york", &format!("{name}/cron"), |at| {
            cron.after(&New_York.from_utc_datetime(&at.naive_utc())).next()
        });
        measure(criterion, "new_york", &format!("{name}/croner"), |at| {
            let local = New_York.from_utc_datetime(&at.naive_utc());
            croner.find_next_occurrence(&local, false).ok()
        });
    }
}

/// Sparse dates that only this crate can write.
fn sparse(criterion: &mut Criterion) {
    for (name, text) in [
        ("week_53", "cron week=53 day_of_week=sun"),
        ("fifth_friday", "0 12 * * fri#5"),
        ("leap_monday", "cron month=2 day=29 day_of_week=mon"),
        ("last_workday", "0 12 LW * *"),
        ("calendar_months", "calendar months=1 days=1 start=2000-01-31"),
    ] {
        let trigger: Trigger = text.parse().unwrap();
        measure(criterion, "sparse_utc", name, |at| trigger.next_after(at));
        let trigger = trigger.timezone(Tz::America__New_York).unwrap();
        measure(criterion, "sparse_new_york", name, |at| trigger.next_after(at));
    }
}

/// The latest fire time in ten years.
fn latest(criterion: &mut Criterion) {
    let trigger = Trigger::cron("* * * * * *").unwrap();
    measure(criterion, "latest_in_ten_years", "every_second", |at| {
        trigger.latest_in(at - chrono::TimeDelta::days(3_650), at)
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(150))
        .measurement_time(std::time::Duration::from_millis(400))
        .sample_size(20);
    targets = next_after, sparse, latest
}
criterion_main!(benches);
