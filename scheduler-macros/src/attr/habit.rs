//! Words that users of other schedulers write in place of a key, and their equivalents here.

use super::entry::{Entry, Value};
use super::written::{self, snake};

/// Words with the same meaning.
pub(crate) struct Habit {
    words: Spelled,
    answer: Answer,
}

/// The words that belong to a habit.
#[derive(Clone, Copy)]
enum Spelled {
    /// These words, in the naming style of any language.
    Listed(&'static [&'static str]),
    /// All words that this function accepts.
    As(fn(&Entry) -> bool),
}

/// The equivalent of a habit's words.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// The same value under this key.
    Key(&'static str),
    /// A duration under this key; a bare number is in this unit.
    Time(&'static str, &'static str),
    /// `true` or `false` under this key.
    Flag(&'static str),
    /// The opposite flag under this key.
    Not(&'static str),
    /// One less under this key: the first attempt is not a retry.
    OneLess(&'static str),
    /// A time zone.
    Zone,
    /// Computed from all words of the habit together, under this key or a similar one.
    Together(&'static str, fn(&Words<'_>) -> Option<String>),
    /// No equivalent; the text says why.
    Note(&'static str),
    /// No equivalent; the text depends on what was written.
    Say(fn(&Words<'_>) -> String),
}

/// The words of one habit in one list.
pub(crate) struct Words<'a> {
    /// The entries in which they were written.
    pub(crate) entries: Vec<&'a Entry>,
    /// If `true`, another word in the list may change their meaning.
    pub(crate) unclear: bool,
    /// If `true`, a time zone is given in the same list.
    pub(crate) has_zone: bool,
    /// The kind of trigger if it was named separately, as in APScheduler.
    pub(crate) kind: Option<String>,
}

impl Habit {
    pub(crate) const fn new(words: &'static [&'static str], answer: Answer) -> Self {
        Self {
            words: Spelled::Listed(words),
            answer,
        }
    }

    /// Creates a habit of all words that a function accepts.
    pub(crate) const fn of_all(accepts: fn(&Entry) -> bool, answer: Answer) -> Self {
        Self {
            words: Spelled::As(accepts),
            answer,
        }
    }

    /// Returns `true` if the word belongs to the habit.
    pub(crate) fn has(&self, entry: &Entry) -> bool {
        match self.words {
            Spelled::Listed(words) => {
                let word = entry.name();
                let mut words = words.iter();
                words.any(|other| *other == word || *other == snake(&word))
            }
            Spelled::As(accepts) => accepts(entry),
        }
    }

    /// Returns the note for words without an equivalent.
    pub(crate) fn note(&self, words: &Words<'_>) -> Option<String> {
        match self.answer {
            Answer::Note(note) => Some(note.to_owned()),
            Answer::Say(say) => Some(say(words)),
            _ => None,
        }
    }

    /// Returns the key that the words stand for, if they have one.
    pub(crate) fn key(&self) -> Option<&'static str> {
        match self.answer {
            Answer::Key(key)
            | Answer::Time(key, _)
            | Answer::Flag(key)
            | Answer::Not(key)
            | Answer::OneLess(key)
            | Answer::Together(key, _) => Some(key),
            Answer::Zone => Some("timezone"),
            Answer::Note(_) | Answer::Say(_) => None,
        }
    }

    /// Returns the equivalent entry; `None` if it cannot be derived from what was written.
    pub(crate) fn entry(&self, words: &Words<'_>) -> Option<String> {
        let value = words.entries.iter().find_map(|entry| entry.given());
        match self.answer {
            Answer::Key(key) => match value? {
                // A number in quotes may be meant as a count, which is written without quotes.
                value if written::integer(value).is_some() && super::job_keys::is_count(key) => {
                    Some(format!("{key} = {}", written::integer(value)?))
                }
                value => Some(format!("{key} = {}", written::literal(value)?)),
            },
            Answer::Time(key, unit) => {
                Some(format!("{key} = \"{}\"", written::duration(value?, unit)?))
            }
            Answer::Flag(key) => {
                let flag = value.map_or(Some(true), written::flag)?;
                Some(format!("{key} = {flag}"))
            }
            Answer::Not(key) => {
                let flag = value.map_or(Some(true), written::flag)?;
                Some(format!("{key} = {}", !flag))
            }
            Answer::OneLess(key) => {
                let count = written::integer(value?)?.checked_sub(1)?;
                Some(format!("{key} = {count}"))
            }
            Answer::Zone => Some(format!("timezone = \"{}\"", written::zone(value?)?)),
            Answer::Together(_, work_out) => work_out(words),
            Answer::Note(_) | Answer::Say(_) => None,
        }
    }
}

impl Entry {
    /// Returns the value after `=`.
    pub(crate) fn given(&self) -> Option<&syn::Expr> {
        match &self.value {
            Value::Expr(value) => Some(value),
            Value::Missing | Value::List(_) => None,
        }
    }
}
