//! Splitting text into words, with the position of each.

use std::ops::Range;

use crate::error::TriggerError;

/// A word and the byte offset at which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) at: usize,
    pub(crate) text: &'a str,
}

impl Word<'_> {
    pub(crate) fn range(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// Returns the words between blanks: the first seven, and their total number.
pub(crate) fn words(text: &str) -> ([Word<'_>; 7], usize) {
    let bytes = text.as_bytes();
    let mut words = [word(text, 0, 0); 7];
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let end = end_of(bytes, at, |byte| byte.is_ascii_whitespace());
        if let Some(place) = words.get_mut(count) {
            *place = word(text, at, end);
        }
        count += 1;
        at = end;
    }
    (words, count)
}

/// Returns the number of bytes before the text without surrounding blanks, and that text.
pub(crate) fn trim(text: &str) -> (usize, &str) {
    match text.as_bytes() {
        // Most texts have no blanks, and `str::trim` decodes characters.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => (0, text),
        [only] if only.is_ascii_graphic() => (0, text),
        _ => (text.len() - text.trim_start().len(), text.trim()),
    }
}

/// Splits a text at the first occurrence of an ASCII byte. Faster here than `str::split_once`, which is optimized for
/// longer texts.
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let (before, rest) = text.split_at(text.bytes().position(|byte| byte == at)?);
    Some((before, &rest[1..]))
}

/// A word of the text form: bare, or `key=value` where the value may be quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Bare(Word<'a>),
    Pair(Word<'a>, Word<'a>),
}

/// Returns the words and pairs of a text; a value in single or double quotes may contain blanks.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, TriggerError> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let end = end_of(bytes, at, |byte| byte.is_ascii_whitespace());
        let Some(equals) = bytes[at..end].iter().position(|byte| *byte == b'=') else {
            tokens.push(Token::Bare(word(text, at, end)));
            at = end;
            continue;
        };
        let key = word(text, at, at + equals);
        let from = at + equals + 1;
        let Some(quote @ (b'\'' | b'"')) = bytes.get(from) else {
            tokens.push(Token::Pair(key, word(text, from, end)));
            at = end;
            continue;
        };
        let close = end_of(bytes, from + 1, |byte| byte == *quote);
        if close == bytes.len() {
            return Err(TriggerError::new("the quote is never closed").at(from..from + 1));
        }
        tokens.push(Token::Pair(key, word(text, from + 1, close)));
        at = close + 1;
    }
    Ok(tokens)
}

fn end_of(bytes: &[u8], from: usize, stop: impl Fn(u8) -> bool) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| stop(*byte))
        .map_or(bytes.len(), |length| from + length)
}

fn word(text: &str, from: usize, to: usize) -> Word<'_> {
    Word {
        at: from,
        text: &text[from..to],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_quoted() {
        let found = tokens("cron day='2nd tue'  hour=6").unwrap();
        assert_eq!(
            found,
            [
                Token::Bare(Word {
                    at: 0,
                    text: "cron"
                }),
                Token::Pair(
                    Word { at: 5, text: "day" },
                    Word {
                        at: 10,
                        text: "2nd tue"
                    }
                ),
                Token::Pair(
                    Word {
                        at: 20,
                        text: "hour"
                    },
                    Word { at: 25, text: "6" }
                ),
            ]
        );
        assert!(tokens("day='2nd").is_err());
    }
}
