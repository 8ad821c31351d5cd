//! Near misses.

pub(crate) use scheduler_triggers::nearest;

/// `; did you mean …?` for the nearest candidate, or nothing.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    nearest(word, candidates).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_with_what_was_meant_and_anything_else_with_nothing() {
        let keys = ["interval", "retries"];
        assert_eq!(did_you_mean("retires", keys), "; did you mean `retries`?");
        assert_eq!(did_you_mean("banana", keys), "");
    }
}
