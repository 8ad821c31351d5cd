//! Texts with a different meaning in other schedulers.

use crate::cron::Cron;
use crate::cron::dialect::named_weekdays;

/// Returns a warning about numbers of weekdays in texts that Quartz and `EventBridge` also accept: in six or seven
/// fields, or next to a `?`.
pub(crate) fn weekday_numbers(cron: &Cron) -> Option<String> {
    if cron.keyword {
        return None;
    }
    let mut words: Vec<&str> = cron.text.split_ascii_whitespace().collect();
    let at = if words.len() > 5 { 5 } else { 4 };
    let written = *words.get(at)?;
    if words.len() < 6 && !words.contains(&"?") {
        return None;
    }
    let named = named_weekdays(written)?;
    *words.get_mut(at)? = &named;
    let days = |cron: &Cron| (cron.weekdays, cron.special.clone());
    // Both may mean the same days.
    Cron::parse(&words.join(" "))
        .ok()
        .filter(|theirs| days(theirs) != days(cron))?;
    Some(format!(
        "`{written}` in day_of_week counts from Sunday as 0, as in crontab; Quartz and EventBridge count \
         Sunday as 1 and mean `{}`",
        words.join(" ")
    ))
}
