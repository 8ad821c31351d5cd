//! Near misses: what was probably meant by an unknown word.

use crate::error::TriggerError;

/// Returns the candidate nearest to `word`, if it is near enough to be what was meant. It is never the word itself.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of(word, &mut candidates.into_iter())
}

/// Returns the nearest candidate, if no other is as near: of two, it is unknown which was meant.
pub(crate) fn only_nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let mut candidates: Vec<_> = candidates.into_iter().collect();
    let near = nearest(word, candidates.iter().copied())?;
    let least = distance(word, near);
    candidates.retain(|candidate| *candidate != near && distance(word, candidate) == least);
    candidates.is_empty().then_some(near)
}

/// Returns the only candidate at a distance of at most `slips`, for words that have a different meaning at a larger
/// distance.
pub(crate) fn within<'a>(
    slips: usize,
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    only_nearest(word, candidates).filter(|near| distance(word, near) <= slips)
}

/// As [`nearest`], without generics, so that it is compiled only once.
fn nearest_of<'a>(word: &str, candidates: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = match length {
        // Two different letters out of five make another word.
        0..=5 => 1,
        6..=7 => 2,
        _ => 3,
    };
    let first = |text: &str| text.chars().next().map(|first| first.to_ascii_lowercase());
    candidates
        // Each missing or extra character is a change, so most candidates need no further check.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .filter(|candidate| *candidate != word && (length > 5 || first(candidate) == first(word)))
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the key nearest to `word`, or the one that is called `word` in other programs.
fn key<'a>(word: &str, keys: &[&'a str]) -> Option<&'a str> {
    const ELSEWHERE: [(&str, &str); 9] = [
        ("tz", "timezone"),
        ("zone", "timezone"),
        ("time_zone", "timezone"),
        ("dow", "day_of_week"),
        ("weekday", "day_of_week"),
        ("dom", "day"),
        ("day_of_month", "day"),
        ("from", "start"),
        ("until", "end"),
    ];
    ELSEWHERE
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .and_then(|(_, key)| keys.iter().copied().find(|known| known == key))
        .or_else(|| nearest(word, keys.iter().copied()))
}

/// Returns the error for an unknown key, with the nearest key, or else all of them.
pub(crate) fn among(
    message: String,
    word: &str,
    keys: impl Iterator<Item = &'static str>,
) -> TriggerError {
    among_all(message, word, &keys.collect::<Vec<_>>())
}

/// Options of the job, not of the trigger.
const OF_JOBS: [&str; 8] = [
    "jitter",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "overlap",
    "timeout",
    "retries",
    "backoff",
];

fn among_all(message: String, word: &str, keys: &[&'static str]) -> TriggerError {
    if OF_JOBS.contains(&word) {
        return TriggerError::new(format!("{message}; it is an option of the job"));
    }
    let all = keys.join(", ");
    match key(word, keys) {
        Some(near) => TriggerError::new(message).meant(Some(near)),
        None => TriggerError::new(format!("{message}; there are {all}")),
    }
    .allow(all)
}

/// Counts insertions, deletions, replacements and swaps of neighbours, case-insensitively.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().take(64).map(|c| c.to_ascii_lowercase()).collect();
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut best = (last[j] + usize::from(a[i] != b[j]))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_and_slips_are_near() {
        assert_eq!(nearest("mno", ["sun", "mon", "tue"]), Some("mon"));
        assert_eq!(nearest("minuts", ["minutes", "months"]), Some("minutes"));
        assert_eq!(nearest("Hour", ["hour"]), Some("hour"));
        assert_eq!(nearest("banana", ["hour"]), None);
        assert_eq!(nearest(&"x".repeat(1_000), ["hour"]), None);
    }

    #[test]
    fn short_words_are_near_if_they_begin_alike() {
        assert_eq!(nearest("lun", ["sun"]), None);
        assert_eq!(nearest("jours", ["hours"]), None);
        assert_eq!(nearest("never", ["every"]), None);
        assert_eq!(nearest("cron", ["cron"]), None);
        assert_eq!(nearest("", ["a", ""]), None);
        assert_eq!(within(1, "@weekdays", ["@weekly"]), None);
        assert_eq!(within(1, "@dayly", ["@daily"]), Some("@daily"));
    }

    #[test]
    fn keys_have_other_names_elsewhere() {
        let keys = ["day", "day_of_week", "timezone"];
        assert_eq!(key("dow", &keys), Some("day_of_week"));
        assert_eq!(key("tz", &keys), Some("timezone"));
        assert_eq!(key("until", &keys), None);
        assert_eq!(key("timezon", &keys), Some("timezone"));
    }
}
