//! The limit: arithmetic written for each single expression, and a parser that reads the text once, supports only
//! what occurs in these expressions, and checks nothing.

use chrono::{DateTime, Utc};

const DAY: i64 = 86_400;

/// Returns the next fire time after an instant, in seconds of a clock without changes.
pub type Next = fn(i64) -> i64;

/// Returns the function written for an expression.
pub fn next(expression: &str) -> Next {
    match expression {
        "* * * * *" => |at| step(at, 60),
        "*/5 * * * *" => |at| step(at, 300),
        "0 * * * *" => |at| step(at, 3_600),
        "0 6 * * *" => |at| step(at - 6 * 3_600, DAY) + 6 * 3_600,
        "0 9 * * MON-FRI" => |at| workday(step(at - 9 * 3_600, DAY)) + 9 * 3_600,
        "*/15 9-17 * * MON-FRI" => office_hours,
        // The epoch was a Thursday.
        "0 0 * * SUN" => |at| step(at - 3 * DAY, 7 * DAY) + 3 * DAY,
        "0 0 1 * *" => |at| month_after(at, 1, 0, 1),
        "30 2 1 1,4,7,10 *" => |at| month_after(at, 3, 2 * 3_600 + 1_800, 1),
        "59 23 31 12 *" => |at| {
            let year = year_month(at).0;
            let this = date(year, 12, 31) + 23 * 3_600 + 59 * 60;
            if this > at {
                return this;
            }
            date(year + 1, 12, 31) + 23 * 3_600 + 59 * 60
        },
        "0 0 31 * *" => |at| {
            let (mut year, mut month) = year_month(at);
            loop {
                let this = date(year, month, 31);
                if this > at && matches!(month, 1 | 3 | 5 | 7 | 8 | 10 | 12) {
                    return this;
                }
                (year, month) = if month == 12 {
                    (year + 1, 1)
                } else {
                    (year, month + 1)
                };
            }
        },
        "0 0 29 2 *" => |at| {
            let mut year = (year_month(at).0 + 3) / 4 * 4;
            loop {
                let this = date(year, 2, 29);
                if this > at && (year % 100 != 0 || year % 400 == 0) {
                    return this;
                }
                year += 4;
            }
        },
        _ => panic!("nothing was written for `{expression}`"),
    }
}

/// Returns the next fire time in UTC.
pub fn in_utc(next: Next, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(next(at.timestamp()), 0)
}

/// Returns the next fire time in New York, by converting to local time and back.
pub fn in_new_york(next: Next, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = at.timestamp();
    let offset = new_york(at);
    let wall = next(at + offset);
    let guess = wall - offset;
    // The clocks may change in between.
    DateTime::from_timestamp(wall - new_york(guess), 0)
}

/// Returns New York's offset from UTC: daylight saving time applies, by the law of 2007, from the second Sunday of
/// March to the first of November. Since there are two changes a year, it checks only one or two of them.
fn new_york(at: i64) -> i64 {
    const HALF_A_YEAR: i64 = 15_778_476;
    let mut passed = (at / HALF_A_YEAR) as usize;
    while CHANGES[passed] <= at {
        passed += 1;
    }
    if passed % 2 == 1 {
        -4 * 3_600
    } else {
        -5 * 3_600
    }
}

/// The clock changes of New York from 1970 on.
static CHANGES: [i64; 260] = {
    let mut changes = [0; 260];
    let mut year = 0;
    while year < 130 {
        changes[2 * year] = sunday(date(1_970 + year as i64, 3, 8)) + 7 * 3_600;
        changes[2 * year + 1] = sunday(date(1_970 + year as i64, 11, 1)) + 6 * 3_600;
        year += 1;
    }
    changes
};

/// Returns the beginning of this day, or of the Sunday after it.
const fn sunday(day: i64) -> i64 {
    day + (10 - (day / DAY) % 7) % 7 * DAY
}

/// Returns the bit sets of the five fields, in one pass over the bytes.
pub fn parse(text: &str) -> [u64; 5] {
    const ALL: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
    let mut fields = [0; 5];
    let mut field = 0;
    let (mut first, mut last, mut step, mut number) = (None, None, false, 0);
    for byte in text.bytes().chain([b' ']) {
        match byte {
            b'*' => (first, last) = (Some(ALL[field].0), Some(ALL[field].1)),
            b'0'..=b'9' => number = number * 10 + u32::from(byte - b'0'),
            // These letters are enough to distinguish the names.
            b'M' => number = 1,
            b'F' => number = 5,
            b'-' => (first, number) = (Some(number), 0),
            b'/' => {
                last = last.or(Some(number));
                (step, number) = (true, 0);
            }
            b' ' | b',' => {
                let (from, to) = (first.unwrap_or(number), last.unwrap_or(number));
                let by = if step { number } else { 1 };
                let mut value = from;
                while value <= to {
                    fields[field] |= 1 << value;
                    value += by;
                }
                (first, last, step, number) = (None, None, false, 0);
                field += usize::from(byte == b' ');
            }
            _ => {}
        }
    }
    fields
}

fn step(at: i64, seconds: i64) -> i64 {
    (at.div_euclid(seconds) + 1) * seconds
}

/// Returns the beginning of this day, or of the Monday after it.
fn workday(day: i64) -> i64 {
    match (day / DAY + 3) % 7 {
        5 => day + 2 * DAY,
        6 => day + DAY,
        _ => day,
    }
}

fn office_hours(at: i64) -> i64 {
    let next = step(at, 900);
    let (day, second) = (next.div_euclid(DAY) * DAY, next.rem_euclid(DAY));
    let (day, second) = match second / 3_600 {
        0..9 => (day, 9 * 3_600),
        9..18 => (day, second),
        _ => (day + DAY, 9 * 3_600),
    };
    let workday = workday(day);
    workday + if workday == day { second } else { 9 * 3_600 }
}

/// Returns the first of this or a later month, stepping by `every` months, plus `second` seconds.
fn month_after(at: i64, every: i64, second: i64, day: i64) -> i64 {
    let (year, month) = year_month(at);
    let month = (month - 1) / every * every + 1;
    let this = date(year, month, day) + second;
    if this > at {
        return this;
    }
    let (year, month) = if month + every > 12 {
        (year + 1, 1)
    } else {
        (year, month + every)
    };
    date(year, month, day) + second
}

/// Returns the year and the month of an instant after 1970, counted from 1 March of the year 0.
fn year_month(at: i64) -> (i64, i64) {
    let quarters = 4 * ((at / DAY) as u32 + 719_468) + 3;
    let century = quarters / 146_097;
    let quarters = quarters % 146_097 | 3;
    let (year, day) = (100 * century + quarters / 1_461, quarters % 1_461 / 4);
    let month = (5 * day + 2) / 153;
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    (i64::from(year), i64::from(month))
}

/// Returns the instant at which a date after 1970 begins.
const fn date(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year as u32, month as u32 - 3)
    } else {
        (year as u32 - 1, month as u32 + 9)
    };
    let before = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5;
    (before as i64 + day - 719_469) * DAY
}

#[cfg(test)]
mod tests {
    use scheduler_triggers::{Trigger, Tz};

    use super::*;

    #[test]
    fn what_was_written_by_hand_tells_the_same_as_the_triggers() {
        for (_, expression) in crate::expressions() {
            let utc = Trigger::cron(expression).unwrap();
            let new_york = utc.clone().timezone(Tz::America__New_York).unwrap();
            let next = next(expression);
            for at in crate::starts() {
                assert_eq!(
                    in_utc(next, at),
                    utc.next_after(at),
                    "{expression} after {at}"
                );
                assert_eq!(
                    in_new_york(next, at),
                    new_york.next_after(at),
                    "{expression} after {at}"
                );
            }
        }
    }

    #[test]
    fn fields_are_read() {
        assert_eq!(
            parse("*/15 9-17 * * MON-FRI")[0],
            1 | 1 << 15 | 1 << 30 | 1 << 45
        );
        assert_eq!(
            parse("30 2 1 1,4,7,10 *")[1..4],
            [1 << 2, 1 << 1, 1 << 1 | 1 << 4 | 1 << 7 | 1 << 10]
        );
        assert_eq!(parse("*/15 9-17 * * MON-FRI")[4], 0b11_1110);
    }
}
