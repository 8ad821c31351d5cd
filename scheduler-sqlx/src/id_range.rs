//! The range of ids that a list reads, in terms of an index.

/// Returns the range of the ids that begin with `prefix` and come after another id: the first possible id, and an
/// exclusive upper bound. Ids are ordered by their bytes, which is the order of their characters.
pub(crate) fn id_range(prefix: Option<&str>, after: Option<&str>) -> (String, Option<String>) {
    let prefix = prefix.unwrap_or_default();
    // No id contains a control character, so every later one is at or after this.
    let next = after.map_or_else(String::new, |after| format!("{after}\u{1}"));
    (next.max(prefix.to_owned()), successor(prefix))
}

/// Returns the first text after all texts with this prefix; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The successor of the last character before the surrogates is the first one after them.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_holds_the_ids_with_the_prefix_and_no_others() {
        let ids = [
            "acme",
            "acme/",
            "acme/1",
            "acme/\u{10FFFF}x",
            "acme0",
            "ACME/1",
            "big-acme/1",
            "a%me/1",
            "\u{D7FF}a",
            "\u{D7FF}",
            "\u{E000}",
            "\u{10FFFF}",
            "\u{10FFFF}a",
            "ü/1",
            "ü0",
        ];
        for prefix in [
            "",
            "acme/",
            "a%",
            "acme",
            "\u{D7FF}",
            "\u{10FFFF}",
            "ü/",
            "_",
        ] {
            for after in [
                None,
                Some("acme/"),
                Some("acme/1"),
                Some("\u{D7FF}"),
                Some("zzz"),
            ] {
                let (from, below) = id_range(Some(prefix), after);
                for id in ids {
                    let is_in = id >= &*from && below.as_deref().is_none_or(|below| id < below);
                    let is_wanted = id.starts_with(prefix) && after.is_none_or(|after| id > after);
                    assert_eq!(is_in, is_wanted, "{id:?} of {prefix:?} after {after:?}");
                }
            }
        }
    }
}
