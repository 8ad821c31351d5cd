//! Which fire times are run if several are due at once.

use std::fmt;
use std::str::FromStr;

use super::PolicyError;

/// Which fire times are run if several are due at once.
///
/// Several are due at once after the scheduler was down or paused, or the machine was suspended.
/// Its text is `latest` (the default), `earliest`, `all` or `all(20)`. What `APScheduler` calls
/// `coalesce=False` is `all` with [`Overlap::Queue`](super::Overlap::Queue).
///
/// ```
/// use scheduler_triggers::policies::Coalesce;
///
/// assert_eq!("all".parse(), Ok(Coalesce::All(100)));
/// assert_eq!(Coalesce::All(20).to_string(), "all(20)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Coalesce {
    /// Only the latest.
    #[default]
    Latest,
    /// Only the earliest.
    Earliest,
    /// The newest `n`, oldest first.
    All(u32),
}

impl Coalesce {
    /// The number for `all` without a number.
    pub const ALL_DEFAULT: u32 = 100;
    /// The largest number in `all(n)`.
    pub const ALL_MAX: u32 = 10_000;
    /// The words of its texts, without numbers.
    pub const WORDS: [&'static str; 3] = ["latest", "earliest", "all"];
    /// Its texts, as part of a sentence.
    pub const FORMS: &'static str =
        "`latest`, `earliest`, `all`, or `all(n)` with n from 1 to 10000";
}

impl Coalesce {
    /// Checks the number: a variant can contain any number, a text cannot.
    #[doc(hidden)]
    pub fn check(self) -> Result<(), PolicyError> {
        match self {
            Self::All(count) if !(1..=Self::ALL_MAX).contains(&count) => Err(PolicyError::new(
                "coalesce",
                self.to_string(),
                format!("write {}", Self::FORMS),
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Coalesce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Earliest => f.write_str("earliest"),
            Self::All(count) => write!(f, "all({count})"),
        }
    }
}

impl FromStr for Coalesce {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text.trim() {
            "latest" => Ok(Self::Latest),
            "earliest" => Ok(Self::Earliest),
            "all" => Ok(Self::All(Self::ALL_DEFAULT)),
            other => other
                .strip_prefix("all(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|count| count.trim().parse().ok())
                .map(Self::All)
                .ok_or_else(|| PolicyError::new("coalesce", text, format!("write {}", Self::FORMS)))
                .and_then(|parsed| parsed.check().map(|()| parsed)),
        }
    }
}

#[cfg(feature = "serde")]
super::text_form::text_form!(Coalesce);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_parentheses_have_bounds() {
        assert_eq!("all(20)".parse(), Ok(Coalesce::All(20)));
        assert_eq!(" all ".parse(), Ok(Coalesce::All(100)));
        assert!("all(0)".parse::<Coalesce>().is_err());
        assert!("all(10001)".parse::<Coalesce>().is_err());
    }

    #[test]
    fn words_are_texts() {
        for word in Coalesce::WORDS {
            assert!(word.parse::<Coalesce>().is_ok(), "{word}");
            assert!(Coalesce::FORMS.contains(&format!("`{word}`")), "{word}");
        }
    }
}
