//! Words that users of other schedulers write where a key belongs, and what they are here.

use super::entry::{Entry, Value};
use super::written::{self, snake};

/// Words of one meaning.
pub(crate) struct Habit {
    words: Spelled,
    answer: Answer,
}

/// Which words belong to a habit.
#[derive(Clone, Copy)]
enum Spelled {
    /// These, in the spelling of any language.
    Listed(&'static [&'static str]),
    /// All that this function accepts.
    As(fn(&Entry) -> bool),
}

/// What the words of a habit are here.
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
    /// One less under this key: the first attempt is no retry.
    OneLess(&'static str),
    /// A time zone.
    Zone,
    /// Worked out from all words of the habit together, under this key or one like it.
    Together(&'static str, fn(&Words<'_>) -> Option<String>),
    /// Nothing to write: why.
    Note(&'static str),
    /// The same, by what was written.
    Say(fn(&Words<'_>) -> String),
}

/// The words of one habit in one list.
pub(crate) struct Words<'a> {
    /// What was written under them.
    pub(crate) entries: Vec<&'a Entry>,
    /// Whether a word stands beside that may change what these mean.
    pub(crate) unclear: bool,
    /// Whether a time zone is given beside.
    pub(crate) has_zone: bool,
    /// The kind of trigger that was named apart from them, as APScheduler does.
    pub(crate) kind: Option<String>,
}

impl Habit {
    pub(crate) const fn new(words: &'static [&'static str], answer: Answer) -> Self {
        Self {
            words: Spelled::Listed(words),
            answer,
        }
    }

    /// A habit of all words that a function accepts.
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

    /// Returns what to say where there is nothing to write.
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

    /// Returns the entry to write instead; `None` if it cannot be worked out from what was written.
    pub(crate) fn entry(&self, words: &Words<'_>) -> Option<String> {
        let value = words.entries.iter().find_map(|entry| entry.given());
        match self.answer {
            Answer::Key(key) => match value? {
                // A number in quotes may be a count, which has none.
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
    /// What stands after `=`.
    pub(crate) fn given(&self) -> Option<&syn::Expr> {
        match &self.value {
            Value::Expr(value) => Some(value),
            Value::Missing | Value::List(_) => None,
        }
    }
}
