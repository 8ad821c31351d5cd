//! Case-insensitive search for a text in names.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A text to search for in names, ignoring case.
///
/// Characters are compared one by one, each on its own: `ü` and `Ü` are equal, as are `σ`, `ς` and `Σ`, but `ß` and
/// `ss` are not, nor are `e` and `é`. No character is special: `%`, `_`, `*` and `\` match themselves.
///
/// [`is_in`](Self::is_in) defines the rule. [`characters`](Self::characters) supports databases whose case rules
/// differ from Unicode's, or that have none.
///
/// ```
/// use scheduler_core::store::SearchText;
///
/// let text = SearchText::new("Ü_1");
/// assert!(text.is_in("menü_1") && text.is_in("MENÜ_1"));
/// assert!(!text.is_in("menu_1") && !text.is_in("menü-1"));
///
/// let (character, others) = text.characters().next().unwrap();
/// assert_eq!((character, others), ('ü', &['Ü'][..]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// Creates a search for this text. An empty text is in every name.
    pub fn new(text: &str) -> Self {
        Self(folded(text))
    }

    /// Returns `true` if the text is in the name.
    pub fn is_in(&self, name: &str) -> bool {
        folded(name).contains(&self.0)
    }

    /// Returns the text with each character replaced by the representative of its case variants, usually the lower
    /// case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the characters of [`as_str`](Self::as_str), each with its other case variants.
    pub fn characters(&self) -> impl Iterator<Item = (char, &'static [char])> {
        self.0
            .chars()
            .map(|character| (character, others(character)))
    }
}

fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// Returns the representative of all characters that differ from this one only in case.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // Via the upper case, which `σ` and `ς` share. If that has several characters (`ß`), there is none.
    let mut upper = character.to_uppercase();
    let upper = match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => character,
    };
    // Only `İ` has two characters in lower case: `i` and a dot above it.
    upper.to_lowercase().next().unwrap_or(upper)
}

/// No character from here on has a case. A test checks all of them.
const WITHOUT_CASE: char = '\u{1F000}';

/// Returns the other characters that fold to this one.
fn others(folded: char) -> &'static [char] {
    static OTHERS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
        let mut others: HashMap<char, Vec<char>> = HashMap::new();
        for character in '\0'..WITHOUT_CASE {
            let folded = fold(character);
            if folded != character {
                others.entry(folded).or_default().push(character);
            }
        }
        others
    });
    OTHERS.get(&folded).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    #[test]
    fn text_is_found_in_any_case() {
        for (text, name) in [
            ("", "job"),
            ("JOB", "my-job"),
            ("ü", "MENÜ"),
            ("ΟΔΟΣ", "οδος"),
            ("οδος", "ΟΔΟΣ 1"),
            ("Σ", "ΟΔΟΣ"),
            ("k", "\u{212A}"),
            ("I", "İzmir"),
            ("ı", "I"),
            ("ẞ", "straße"),
            ("100%_\\", "100%_\\"),
            ("日", "日报"),
        ] {
            assert!(SearchText::new(text).is_in(name), "{text:?} in {name:?}");
        }
    }

    #[test]
    fn no_character_is_a_wildcard() {
        for (text, name) in [
            ("%", "job"),
            ("_", "job"),
            ("*", "job"),
            ("j.b", "job"),
            ("[j]", "job"),
            ("é", "e"),
            ("ss", "ß"),
            ("jobs", "job"),
        ] {
            assert!(!SearchText::new(text).is_in(name), "{text:?} in {name:?}");
        }
    }

    #[test]
    fn upper_and_lower_case_of_every_character_are_the_same() {
        for character in all() {
            for mut other in [
                character.to_lowercase().collect::<Vec<char>>(),
                character.to_uppercase().collect(),
            ] {
                if let (Some(other), true) = (other.pop(), other.is_empty()) {
                    assert_eq!(fold(character), fold(other), "{character:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn all_case_variants_are_known() {
        for character in all() {
            let folded = fold(character);
            assert_eq!(fold(folded), folded, "{character:?}");
            let is_other = others(folded).contains(&character);
            assert_eq!(is_other, folded != character, "{character:?}");
        }
        let characters = SearchText::new("Kς").characters().collect::<Vec<_>>();
        assert_eq!(
            characters,
            [('k', &['K', '\u{212A}'][..]), ('σ', &['Σ', 'ς'][..]),]
        );
    }
}
