//! Similar words.

/// Returns the word of which another is a misspelling. Words of two letters or fewer are never misspellings.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    (word.chars().count() > 2)
        .then(|| scheduler_triggers::nearest(word, candidates))
        .flatten()
}

/// Formats the question about a similar word.
pub(crate) fn did_you_mean(near: &str) -> String {
    format!("; did you mean `{near}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_with_what_was_meant_and_anything_else_with_nothing() {
        let keys = ["interval", "retries"];
        assert_eq!(nearest("retires", keys), Some("retries"));
        assert_eq!(nearest("banana", keys), None);
        assert_eq!(nearest("if", ["id"]), None);
        assert_eq!(did_you_mean("retries"), "; did you mean `retries`?");
    }
}
