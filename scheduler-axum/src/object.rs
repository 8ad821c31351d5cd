//! Bodies: a JSON object, read field by field, so that every mistake is told at once and by name.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use scheduler_core::triggers::nearest;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::{FieldError, MAX_ERRORS, Problem};

/// What is read of a body, and what was wrong with it.
#[derive(Debug)]
pub(crate) struct Object {
    fields: Map<String, Value>,
    /// The names that were asked for.
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

/// The body of a request whose body may be left out.
#[derive(Debug)]
pub(crate) struct MaybeObject(pub(crate) Object);

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_content_type(&request)?;
        Self::parse(&read(request, state).await?)
    }
}

impl<S: Send + Sync> FromRequest<S> for MaybeObject {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = check_content_type(&request);
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(Object::of(Map::new())));
        }
        is_json.and_then(|()| Object::parse(&bytes)).map(Self)
    }
}

fn check_content_type(request: &Request) -> Result<(), Problem> {
    let given = request.headers().get(CONTENT_TYPE);
    let essence = given
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body has to be JSON: send `Content-Type: application/json`",
    ))
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let detail = "the body is longer than this service takes";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
            } else {
                // The connection broke off: nobody reads the answer.
                let _ = rejection.into_response();
                Problem::new(StatusCode::BAD_REQUEST, "the body could not be read")
            }
        })
}

impl Object {
    fn of(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            known: Vec::new(),
            errors: Vec::new(),
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut twice = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let seed = OnceEach {
            place: Place::Body,
            twice: &mut twice,
        };
        let value = seed
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value))
            .map_err(|error| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    format!("the body is not JSON: {error}"),
                )
            })?;
        if !twice.is_empty() {
            let twice = twice.into_iter();
            let errors = twice.map(|field| FieldError::new(field, "it is there twice"));
            return Err(Problem::invalid(errors.collect()));
        }
        match value {
            Value::Object(fields) => Ok(Self::of(fields)),
            other => Err(Problem::field(
                "",
                format!("the body has to be a JSON object, not {}", kind(&other)),
            )),
        }
    }

    /// Takes a field out as it is. `null` is a field that is not there.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text of up to `max` bytes.
    pub(crate) fn text(&mut self, name: &'static str, max: usize) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => match check_text(&text, max) {
                Ok(()) => Some(text),
                Err(problem) => {
                    self.wrong(name, problem);
                    None
                }
            },
            other => {
                self.wrong(name, format!("it has to be text, not {}", kind(&other)));
                None
            }
        }
    }

    pub(crate) fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    pub(crate) fn missing(&mut self, field: &'static str, message: &str) {
        // What is there and wrong was told already.
        if self.errors.iter().all(|error| error.field != field) {
            self.wrong(field, format!("it is missing: {message}"));
        }
    }

    /// Refuses what nobody asked for, and tells all that is wrong.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        let known = std::mem::take(&mut self.known);
        for name in self.fields.keys() {
            self.errors
                .push(FieldError::new(name, unknown(Part::Field, name, &known)));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.errors))
        }
    }
}

/// The parts of a request that have names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Field,
    Parameter,
    Policy,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Field => "field",
            Self::Parameter => "parameter",
            Self::Policy => "policy",
        })
    }
}

/// Returns the message about a part whose name is not known.
pub(crate) fn unknown(part: Part, name: &str, known: &[&'static str]) -> String {
    if let Some(meant) = nearest(name, known.iter().copied()) {
        return format!("there is no such {part}: did you mean `{meant}`?");
    }
    match known {
        [] => format!("there is no such {part}: none is taken here"),
        known => format!("there is no such {part}: it takes `{}`", known.join("`, `")),
    }
}

/// Text that every store can keep: bounded, and without what PostgreSQL refuses.
pub(crate) fn check_text(text: &str, max: usize) -> Result<(), String> {
    if text.len() > max {
        return Err(format!("it has {} bytes: give at most {max}", text.len()));
    }
    if text.contains('\0') {
        return Err("it contains a NUL character, which cannot be kept".to_owned());
    }
    Ok(())
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Where a value stands in the body. It is written out for what is wrong alone: a long name around
/// many values would fill the memory.
#[derive(Clone, Copy)]
enum Place<'a> {
    Body,
    Entry(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => Ok(()),
            Self::Entry(Self::Body, name) => f.write_str(name),
            Self::Entry(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Reads any JSON, and notes the keys that an object holds twice, the first of them: which of the two
/// was meant is not for a program to guess.
struct OnceEach<'a> {
    place: Place<'a>,
    twice: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for OnceEach<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OnceEach<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(OnceEach {
            place: Place::Item(&self.place, values.len()),
            twice: self.twice,
        })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = Place::Entry(&self.place, &key);
            if fields.contains_key(&key) && self.twice.len() < MAX_ERRORS {
                self.twice.push(place.to_string());
            }
            let value = map.next_value_seed(OnceEach {
                place,
                twice: self.twice,
            })?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        let problem = Object::parse(json.as_bytes()).unwrap_err();
        serde_json::to_string(&problem).unwrap()
    }

    #[test]
    fn keys_that_are_there_twice_are_found_at_any_depth() {
        assert!(refused(r#"{"a": 1, "a": 2}"#).contains(r#""field":"a""#));
        assert!(refused(r#"{"a": [{"b": {"c": 1, "c": 1}}]}"#).contains(r#""field":"a[0].b.c""#));
        assert!(Object::parse(br#"{"a": {"x": 1}, "b": {"x": 1}}"#).is_ok());
    }

    #[test]
    fn an_answer_does_not_grow_with_what_is_wrong() {
        let name = "k".repeat(60_000);
        for body in [
            format!("{{\"{name}\": {{{}\"a\": 1}}}}", "\"a\": 1,".repeat(20_000)),
            format!(
                "{{\"{name}\": [{}1], \"b\": 1, \"b\": 2}}",
                "1,".repeat(60_000)
            ),
        ] {
            assert!(refused(&body).len() < 64 * body.len());
        }
        let names: Vec<String> = (0..20_001)
            .map(|number| format!("\"x{number}\": 1"))
            .collect();
        let body = format!("{{{}}}", names.join(","));
        let unknown = Object::parse(body.as_bytes()).unwrap().finish();
        let told = serde_json::to_string(&unknown.unwrap_err()).unwrap();
        assert!(told.contains("20001 parts of the request"), "{told}");
        assert!(told.len() < 10_000);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "{", "[1", "nul", "{\"a\": 1} x", "\u{feff}{}"] {
            assert!(refused(text).contains("400"), "{text}");
        }
        for text in ["[]", "1", "null", "\"a\"", "true"] {
            assert!(refused(text).contains("422"), "{text}");
        }
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(refused(&deep).contains("400"));
    }

    #[test]
    fn every_mistake_is_reported() {
        let mut body = Object::parse(br#"{"id": 1, "tusk": "a", "count": "3"}"#).unwrap();
        body.text("id", 10);
        body.text("task", 10);
        body.text("count", 0);
        body.missing("task", "name it");
        let told = serde_json::to_string(&body.finish().unwrap_err()).unwrap();
        for part in [
            r#""field":"id""#,
            r#""field":"task""#,
            r#""field":"count""#,
            "did you mean `task`?",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
}
