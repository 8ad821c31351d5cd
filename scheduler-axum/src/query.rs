//! Query parameters, read by name: all mistakes are reported at once, and unknown parameters are rejected.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::percent_decode_str;
use scheduler_core::{FieldProblem, Fields, JobId};

use crate::problem::{FieldError, MAX_ERRORS, Problem, name_message};

/// The longest text of one parameter; ids have their own limit.
const MAX_TEXT: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self {
            pairs: Vec::new(),
            known: Vec::new(),
            errors: Vec::new(),
        };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => query.pairs.push((name, value)),
                (name, _) => query.errors.push(FieldError::new(
                    name.unwrap_or_else(|| "query".to_owned()),
                    "its percent-encoding does not make UTF-8: write `%25` for a percent sign",
                )),
            }
        }
        query
    }

    /// Takes all values of a parameter.
    pub(crate) fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (taken, rest) = std::mem::take(&mut self.pairs)
            .into_iter()
            .partition::<Vec<_>, _>(|(key, _)| key == name);
        self.pairs = rest;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Takes a parameter that may occur once.
    fn one(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.all(name);
        if values.len() > 1 {
            self.wrong(name, "it is there more than once");
            return None;
        }
        values.pop()
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.one(name)?;
        let checked = Fields::check_text(&text, MAX_TEXT);
        let checked = checked.map_err(|problem| problem.to_string());
        self.or_wrong(name, checked.map(|()| text))
    }

    /// Takes the id of a job, or another name with the same bounds.
    pub(crate) fn name(&mut self, name: &'static str) -> Option<String> {
        let text = self.one(name)?;
        let checked = JobId::new(text.as_str()).map_err(name_message);
        self.or_wrong(name, checked.map(|_| text))
    }

    pub(crate) fn number(
        &mut self,
        name: &'static str,
        (least, most): (usize, usize),
    ) -> Option<usize> {
        let text = self.one(name)?;
        let number = Some(text.as_str())
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| format!("it has to be a whole number from {least} to {most}"));
        self.or_wrong(name, number)
    }

    pub(crate) fn instant(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        let text = self.one(name)?;
        // Not every client encodes the plus of an offset as `%2B`.
        let instant = DateTime::parse_from_rfc3339(&text.replace(' ', "+"))
            .map(|instant| instant.to_utc())
            .map_err(|_| {
                let example = DateTime::UNIX_EPOCH.to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("it has to be an instant of RFC 3339, such as `{example}`")
            });
        self.or_wrong(name, instant)
    }

    pub(crate) fn one_of<T>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T>
    where
        T: Copy,
    {
        let text = self.one(name)?;
        let chosen = choose(&text, choices);
        self.or_wrong(name, chosen)
    }

    /// Takes a parameter that may occur several times, or contain several values separated by commas.
    pub(crate) fn some_of<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Vec<T> {
        let mut chosen = Vec::new();
        for value in self.all(name) {
            for text in value.split(',') {
                if chosen.len() == choices.len() {
                    self.wrong(name, format!("give at most {} values", choices.len()));
                    return Vec::new();
                }
                let one = choose(text, choices);
                match self.or_wrong(name, one) {
                    Some(one) => chosen.push(one),
                    None => return Vec::new(),
                }
            }
        }
        chosen
    }

    /// Takes a value that `parse` accepts.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.one(name)?;
        self.or_wrong(name, parse(&text))
    }

    pub(crate) fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(name, message));
    }

    fn or_wrong<T>(&mut self, name: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.wrong(name, message)).ok()
    }

    /// Rejects unknown parameters, and reports all mistakes.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        let total = self.errors.len() + self.pairs.len();
        for (name, _) in self.pairs.iter().take(MAX_ERRORS) {
            let shown: String = name.chars().take(100).collect();
            let problem = FieldProblem::unknown("parameter", name, &self.known);
            self.errors
                .push(FieldError::new(shown, problem.to_string()));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::first_of(self.errors, total))
        }
    }
}

fn choose<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, String> {
    let chosen = choices.iter().find(|(name, _)| *name == text);
    chosen.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("it has to be one of `{}`", names.join("`, `"))
    })
}

/// Decodes a part of a query; `None` if it is not percent-encoded UTF-8.
fn decode(text: &str) -> Option<String> {
    // The crate leaves invalid escapes unchanged; here they are a mistake.
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: Query) -> String {
        serde_json::to_string(&query.finish().unwrap_err()).unwrap()
    }

    #[test]
    fn parameters_are_decoded_as_forms_write_them() {
        let mut query = Query::parse("q=a+b%20c%C3%A4%26&&empty=");
        assert_eq!(query.text("q").as_deref(), Some("a b cä&"));
        assert_eq!(query.text("empty").as_deref(), Some(""));
        assert!(query.finish().is_ok());
    }

    #[test]
    fn bad_encodings_are_told_by_name() {
        for text in ["q=%", "q=%4", "q=%zz", "q=%ff", "q=%C3"] {
            let told = told(Query::parse(text));
            assert!(told.contains(r#""field":"q""#), "{told}");
        }
        assert!(told(Query::parse("%ff=1")).contains(r#""field":"query""#));
    }

    #[test]
    fn what_is_not_known_is_refused_with_a_suggestion() {
        let mut query = Query::parse("limt=3&other=1");
        assert_eq!(query.number("limit", (1, 5)), None);
        let told = told(query);
        assert!(told.contains("did you mean `limit`?"), "{told}");
        assert!(told.contains("2 parts of the request"), "{told}");
    }

    #[test]
    fn suggestions_name_parameters_as_they_are_written() {
        let mut query = Query::parse("sort_feild=id");
        assert_eq!(query.text("sort_field"), None);
        let told = told(query);
        let message = "there is no such parameter: did you mean `sort_field`?";
        assert!(told.contains(message), "{told}");
    }

    #[test]
    fn numbers_have_bounds_and_nothing_else() {
        for text in [
            "",
            "0",
            "6",
            "-1",
            "+1",
            "1.0",
            "1e0",
            "99999999999999999999",
            "x",
            "1 ",
        ] {
            let mut query = Query::parse(&format!("limit={}", text.replace('+', "%2B")));
            assert_eq!(query.number("limit", (1, 5)), None, "{text}");
            assert!(query.finish().is_err(), "{text}");
        }
        let mut query = Query::parse("limit=5");
        assert_eq!(query.number("limit", (1, 5)), Some(5));
        assert!(told_twice().contains("more than once"));
    }

    fn told_twice() -> String {
        let mut query = Query::parse("limit=1&limit=2");
        query.number("limit", (1, 5));
        told(query)
    }

    #[test]
    fn several_values_come_apart_or_with_commas() {
        let choices = [("a", 1), ("b", 2), ("c", 3)];
        let mut query = Query::parse("state=a,c&state=b");
        assert_eq!(query.some_of("state", &choices), [1, 3, 2]);
        let mut query = Query::parse("state=a,b,c,a");
        assert!(query.some_of("state", &choices).is_empty());
        assert!(told(query).contains("at most 3"));
        let mut query = Query::parse("state=a,,b");
        query.some_of("state", &choices);
        assert!(told(query).contains("one of `a`, `b`, `c`"));
    }
}
