//! The GLOB pattern for a case-insensitive search.

use scheduler_core::store::SearchText;

/// Returns a pattern for names that contain the text.
///
/// LIKE and `lower()` only know the cases of ASCII. Here each character becomes a set of the characters that count as
/// the same. `]` and `^` have a meaning within sets, but they have no case, so they stay outside sets, as themselves.
///
/// SQLite reads the noncharacters U+FFFE and U+FFFF as U+FFFD: a text with one of the three finds the others, too.
pub(super) fn glob(text: &SearchText) -> String {
    let mut pattern = String::from("*");
    for (character, others) in text.characters() {
        match character {
            // SQLite would end the pattern here. No name contains a control character, so this one is not found either.
            '\0' => pattern.push('\u{1}'),
            '*' | '?' | '[' => pattern.extend(['[', character, ']']),
            _ if others.is_empty() => pattern.push(character),
            _ => {
                pattern.push('[');
                pattern.push(character);
                pattern.extend(others);
                pattern.push(']');
            }
        }
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_sets_in_which_none_has_a_meaning() {
        for (text, pattern) in [
            ("", "**"),
            ("a1", "*[aA]1*"),
            ("100%_", "*100%_*"),
            ("[*]?^-", "*[[][*]][?]^-*"),
            ("\0", "*\u{1}*"),
        ] {
            assert_eq!(glob(&SearchText::new(text)), pattern);
        }
    }

    /// SQLite rejects patterns of more than 50,000 bytes.
    #[test]
    fn pattern_of_the_longest_name_is_not_too_long() {
        let longest = "i".repeat(255);
        assert!(glob(&SearchText::new(&longest)).len() < 5_000);
    }
}
