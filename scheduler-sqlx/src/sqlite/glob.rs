//! The pattern of GLOB that finds a text in whatever case.

use scheduler_core::store::SearchText;

/// Returns a pattern for names that have the text.
///
/// LIKE and `lower()` know the cases of ASCII alone. Here each character is a set of those that count as the same, in
/// which no character has a meaning of its own: `]` is no member, as it has no case and ends no set outside of one, and
/// `^` is never the first of several.
pub(super) fn glob(text: &SearchText) -> String {
    let mut pattern = String::from("*");
    for (character, others) in text.characters() {
        match character {
            // SQLite would end the pattern here. No name has a control character, so this one is not found either.
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

    /// SQLite refuses patterns of more than 50,000 bytes.
    #[test]
    fn pattern_of_the_longest_name_is_not_too_long() {
        let longest = "i".repeat(255);
        assert!(glob(&SearchText::new(&longest)).len() < 5_000);
    }
}
