//! The compared crates, each called in the way its users call it.

use std::hint::black_box;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::America::New_York;
use scheduler_triggers::{Trigger, Tz};

use crate::limit;

/// The call that is timed.
pub enum Call {
    Next(Box<dyn Fn(DateTime<Utc>)>),
    Parse(fn(&str)),
}

/// Returns the call of a subject; the crate `cron` needs a seconds field, which is prepended.
pub fn call(subject: &str, what: &str, expression: &'static str) -> Call {
    let is_utc = what == "next-utc";
    if what == "parse" {
        return Call::Parse(match subject {
            "limit" => |text| _ = black_box(limit::parse(text)),
            "this" => |text| _ = black_box(Trigger::cron(text)),
            "cron" => |text| _ = black_box(with_seconds(text).parse::<cron::Schedule>()),
            "croner" => |text| _ = black_box(text.parse::<croner::Cron>()),
            "saffron" => |text| _ = black_box(text.parse::<saffron::Cron>()),
            _ => panic!("limit|this|cron|croner|saffron"),
        });
    }
    match subject {
        "limit" => {
            let next = limit::next(expression);
            if is_utc {
                return timed(move |at| limit::in_utc(next, at));
            }
            timed(move |at| limit::in_new_york(next, at))
        }
        "this" => {
            let trigger = Trigger::cron(expression).unwrap();
            if is_utc {
                return timed(move |at| trigger.next_after(at));
            }
            let trigger = trigger.timezone(Tz::America__New_York).unwrap();
            timed(move |at| trigger.next_after(at))
        }
        "cron" => {
            let schedule: cron::Schedule = with_seconds(expression).parse().unwrap();
            if is_utc {
                return timed(move |at| schedule.after(&at).next());
            }
            timed(move |at| {
                schedule
                    .after(&New_York.from_utc_datetime(&at.naive_utc()))
                    .next()
            })
        }
        "croner" => {
            let cron: croner::Cron = expression.parse().unwrap();
            if is_utc {
                return timed(move |at| cron.find_next_occurrence(&at, false).ok());
            }
            timed(move |at| {
                let local = New_York.from_utc_datetime(&at.naive_utc());
                cron.find_next_occurrence(&local, false).ok()
            })
        }
        "saffron" => {
            assert!(is_utc, "saffron knows no time zones");
            let cron: saffron::Cron = expression.parse().unwrap();
            timed(move |at| cron.next_after(at))
        }
        _ => panic!("limit|this|cron|croner|saffron"),
    }
}

fn timed<R>(next: impl Fn(DateTime<Utc>) -> R + 'static) -> Call {
    Call::Next(Box::new(move |at| _ = black_box(next(at))))
}

fn with_seconds(expression: &str) -> String {
    format!("0 {expression}")
}
