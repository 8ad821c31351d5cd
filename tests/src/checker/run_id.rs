//! Ids of runs.

use std::fmt;
use std::str::FromStr;

/// The id of a run; its text form is that of a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u128);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        f.write_str(&parts.join("-"))
    }
}

/// Parses 32 hexadecimal digits, with or without the hyphens of a UUID.
impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.replace('-', "");
        let number = u128::from_str_radix(&digits, 16).ok();
        number
            .filter(|_| digits.len() == 32)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no id of a run"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_are_read() {
        let text = "019b76da-a800-8000-8000-000000000001";
        let id: RunId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(text.replace('-', "").to_uppercase().parse(), Ok(id));
        assert!("019b76da".parse::<RunId>().is_err());
    }
}
