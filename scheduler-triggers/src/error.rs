//! Why a trigger's text was rejected.

use std::fmt;
use std::ops::Range;

/// An error in a trigger, with its position in the text and the remedy.
///
/// Displayed as one sentence; the alternate form `{:#}` repeats the text with carets under the wrong characters.
///
/// ```
/// use scheduler_triggers::Trigger;
///
/// let error = Trigger::cron("0 25 * * *").unwrap_err();
/// assert_eq!(error.field(), Some("hour"));
/// assert_eq!(error.span(), Some(2..4));
/// assert_eq!(error.allowed(), Some("0-23"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TriggerError(Box<Inner>);

#[derive(Clone, PartialEq, Eq, Default)]
struct Inner {
    field: Option<&'static str>,
    span: Option<Range<usize>>,
    message: String,
    fix: Option<Fix>,
    allowed: Option<String>,
    text: Option<String>,
    others: Vec<TriggerError>,
}

#[derive(Clone, PartialEq, Eq)]
enum Fix {
    /// A near miss: what was probably meant instead of the wrong part.
    Meant(String),
    /// What to write instead of the wrong part.
    Write(String),
    /// What to write instead of more than the wrong part: of that range, or else of the whole text.
    Whole(String, Option<Range<usize>>),
    /// A text of the required form, which is not what was meant.
    Example(String),
}

impl TriggerError {
    #[cold]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            message: message.into(),
            ..Inner::default()
        }))
    }

    pub(crate) fn in_field(mut self, field: &'static str) -> Self {
        self.0.field.get_or_insert(field);
        self
    }

    pub(crate) fn at(mut self, span: Range<usize>) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    pub(crate) fn meant(mut self, what: Option<impl Into<String>>) -> Self {
        if let Some(what) = what {
            self.0.fix = Some(Fix::Meant(what.into()));
        }
        self
    }

    pub(crate) fn write(mut self, what: impl Into<String>) -> Self {
        self.0.fix = Some(Fix::Write(what.into()));
        self
    }

    pub(crate) fn write_whole(mut self, what: impl Into<String>) -> Self {
        self.0.fix = Some(Fix::Whole(what.into(), None));
        self
    }

    pub(crate) fn example(mut self, what: impl Into<String>) -> Self {
        self.0.fix = Some(Fix::Example(what.into()));
        self
    }

    /// Removes a replacement of the whole text, for a text with more than the part from which it was made.
    pub(crate) fn without_whole(mut self) -> Self {
        if matches!(self.0.fix, Some(Fix::Whole(..))) {
            self.0.fix = None;
        }
        self.0.others = std::mem::take(&mut self.0.others)
            .into_iter()
            .map(Self::without_whole)
            .collect();
        self
    }

    /// Sets the range that advice for more than the wrong part replaces, if it is not set.
    pub(crate) fn whole_of(self, range: &Range<usize>) -> Self {
        self.each(|error| {
            if let Some(Fix::Whole(_, replaced)) = &mut error.0.fix {
                replaced.get_or_insert_with(|| range.clone());
            }
        })
    }

    /// Sets the range that advice for more than the wrong part replaces.
    pub(crate) fn whole_from(self, range: &Range<usize>) -> Self {
        self.each(|error| {
            if let Some(Fix::Whole(_, replaced)) = &mut error.0.fix {
                *replaced = Some(range.clone());
            }
        })
    }

    /// Keeps advice only if it helps: if the resulting text has fewer errors.
    pub(crate) fn checked(self, text: &str, errors_in: impl Fn(&str) -> usize) -> Self {
        /// Each check reads the whole text.
        const MOST: usize = 16;
        let (count, mut looks) = (self.all().count(), 0);
        self.each(|error| {
            let leads_on = match error.follow(text) {
                None => true,
                Some(_) if looks == MOST => false,
                Some(followed) => errors_in(&followed) < count,
            };
            looks += 1;
            if !leads_on {
                error.0.fix = None;
            }
        })
    }

    /// Returns the text with the advice of this error applied; `None` without advice.
    fn follow(&self, text: &str) -> Option<String> {
        let (part, range) = match self.0.fix.as_ref()? {
            Fix::Whole(whole, range) => (whole, range.clone().unwrap_or(0..text.len())),
            Fix::Example(_) => return None,
            Fix::Meant(part) | Fix::Write(part) => (part, self.0.span.clone()?),
        };
        let (before, after) = (text.get(..range.start)?, text.get(range.end..)?);
        Some(format!("{before}{part}{after}"))
    }

    fn each(mut self, mut change: impl FnMut(&mut Self)) -> Self {
        change(&mut self);
        self.0.others.iter_mut().for_each(change);
        self
    }

    pub(crate) fn allow(mut self, what: impl Into<String>) -> Self {
        self.0.allowed = Some(what.into());
        self
    }

    /// Moves the span (and those of further errors) to the right by `offset` bytes.
    pub(crate) fn shift(mut self, offset: usize) -> Self {
        let moved = |range: &mut Range<usize>| *range = range.start + offset..range.end + offset;
        self.0.span.iter_mut().for_each(moved);
        if let Some(Fix::Whole(_, Some(range))) = &mut self.0.fix {
            moved(range);
        }
        self.0.others = std::mem::take(&mut self.0.others)
            .into_iter()
            .map(|other| other.shift(offset))
            .collect();
        self
    }

    /// Clears the span, for a text that the user did not write in one piece.
    pub(crate) fn without_span(mut self) -> Self {
        self.0.span = None;
        self.0.text = None;
        self
    }

    /// Stores the text to which the span refers. An outer text replaces an inner one.
    pub(crate) fn in_text(mut self, text: &str) -> Self {
        self.0.text = Some(text.to_owned());
        self.0.others = std::mem::take(&mut self.0.others)
            .into_iter()
            .map(|other| other.in_text(text))
            .collect();
        self
    }

    /// Combines this error with those found before it.
    pub(crate) fn after(self, earlier: Option<Self>) -> Self {
        let Some(mut first) = earlier else {
            return self;
        };
        first.0.others.extend(self.into_all());
        first
    }

    /// Returns this error without those found with it.
    pub(crate) fn alone(&self) -> Self {
        Self(Box::new(Inner {
            others: Vec::new(),
            ..(*self.0).clone()
        }))
    }

    fn into_all(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.0.others);
        std::iter::once(self).chain(others).collect()
    }

    /// Returns the cron field or option that is wrong, such as `"hour"` or `"end"`.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron("0 6 * 13 *").unwrap_err().field(), Some("month"));
    /// ```
    pub fn field(&self) -> Option<&'static str> {
        self.0.field
    }

    /// Returns the range of bytes of the given text that is wrong: the one that [`suggestion`](Self::suggestion)
    /// replaces, if there is one.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron("0 6 * 13 *").unwrap_err().span(), Some(6..8));
    /// ```
    pub fn span(&self) -> Option<Range<usize>> {
        match &self.0.fix {
            Some(Fix::Whole(_, Some(range))) => Some(range.clone()),
            _ => self.0.span.clone(),
        }
    }

    /// Returns what is wrong, without the remedy.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// let error = Trigger::cron("0 6 * 13 *").unwrap_err();
    /// assert_eq!(error.message(), "`13` is out of range for month, which takes 1-12 or jan-dec");
    /// ```
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what was probably meant, or a line to paste; `None` if that is unknown.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron("0 6 * * mno").unwrap_err().suggestion(), Some("mon"));
    /// ```
    pub fn suggestion(&self) -> Option<&str> {
        match self.0.fix.as_ref()? {
            Fix::Meant(text) | Fix::Write(text) | Fix::Whole(text, _) => Some(text),
            Fix::Example(_) => None,
        }
    }

    /// Returns the values that the field takes.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron("60 * * * *").unwrap_err().allowed(), Some("0-59"));
    /// ```
    pub fn allowed(&self) -> Option<&str> {
        self.0.allowed.as_deref()
    }

    /// Returns this error and those found with it: every bad field of a cron expression is reported.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron("60 25 * * *").unwrap_err().all().count(), 2);
    /// ```
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.0.others)
    }

    /// Returns the sentence, followed by `text` with carets under the wrong characters.
    ///
    /// ```
    /// # use scheduler_triggers::Trigger;
    /// let error = Trigger::cron("0 25 * * *").unwrap_err();
    /// assert!(error.with_carets("0 25 * * *").ends_with("  0 25 * * *\n    ^^"));
    /// ```
    pub fn with_carets(&self, text: &str) -> String {
        let mut out = self.sentence();
        if let Some(span) = &self.0.span {
            let (start, end) = (span.start.min(text.len()), span.end.min(text.len()));
            // Columns are characters, not bytes; an empty span still shows one caret.
            let before = text.get(..start).map_or(start, |part| part.chars().count());
            let width = text
                .get(start..end)
                .map_or(end.saturating_sub(start), |part| part.chars().count())
                .max(1);
            let line: String = text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            out.push_str("\n  ");
            out.push_str(&line);
            out.push_str("\n  ");
            out.push_str(&" ".repeat(before));
            out.push_str(&"^".repeat(width));
        }
        out
    }

    /// Returns the text of the error with the advice applied, for tests.
    #[cfg(test)]
    pub(crate) fn followed(&self) -> Option<String> {
        self.follow(self.0.text.as_deref()?)
    }

    fn sentence(&self) -> String {
        match &self.0.fix {
            None => self.0.message.clone(),
            Some(Fix::Meant(text)) => format!("{}; did you mean `{text}`?", self.0.message),
            Some(Fix::Write(text) | Fix::Whole(text, _)) => {
                format!("{}; write `{text}`", self.0.message)
            }
            Some(Fix::Example(text)) => format!("{}; for example `{text}`", self.0.message),
        }
    }
}

impl fmt::Display for TriggerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.all().enumerate() {
            if index > 0 {
                f.write_str(if f.alternate() { "\n" } else { "; also: " })?;
            }
            match (&error.0.text, f.alternate()) {
                (Some(text), true) => f.write_str(&error.with_carets(text))?,
                _ => f.write_str(&error.sentence())?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for TriggerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggerError")
            .field("message", &self.sentence())
            .field("field", &self.0.field)
            .field("span", &self.0.span)
            .field("others", &self.0.others)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for TriggerError {}

#[cfg(test)]
mod tests;
