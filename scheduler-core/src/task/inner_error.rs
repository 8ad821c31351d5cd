//! Detects an `Err` that a task returned inside another value, as `spawn_blocking(…).await` does: `Ok(Err(error))` is
//! a failure, and so is `Some(Err(error))`.
//!
//! It is detected while the value is serialized to JSON, because a `Result` identifies itself to its serializer. It
//! cannot be detected by type: an inherent method of `Result<Result<T, F>, E>` would overlap with that of `Result<T,
//! E>`.

use std::fmt;

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

/// Returns the text of the `Err` inside a value: the error itself if it is a string, otherwise its JSON.
pub(super) fn inner_error<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    value.serialize(Seeker).ok().flatten()
}

/// Looks inside `Some` and `Ok`, and no further: a list of results is a value like any other.
struct Seeker;

/// The result for a value that contains no error, or several values.
type Nothing = Result<Option<String>, fmt::Error>;

/// Methods for values other than a `Result`.
macro_rules! plain {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, _: $ty) -> Nothing {
            Ok(None)
        })*
    };
}

impl Serializer for Seeker {
    type Ok = Option<String>;
    type Error = fmt::Error;
    type SerializeSeq = Impossible<Self::Ok, Self::Error>;
    type SerializeTuple = Impossible<Self::Ok, Self::Error>;
    type SerializeTupleStruct = Impossible<Self::Ok, Self::Error>;
    type SerializeTupleVariant = Impossible<Self::Ok, Self::Error>;
    type SerializeMap = Impossible<Self::Ok, Self::Error>;
    type SerializeStruct = Impossible<Self::Ok, Self::Error>;
    type SerializeStructVariant = Impossible<Self::Ok, Self::Error>;

    plain! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Nothing {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Nothing {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Nothing {
        Ok(None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Nothing {
        Ok(None)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Nothing {
        Ok(None)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Nothing {
        match (name, variant) {
            ("Result", "Ok") => value.serialize(self),
            ("Result", "Err") => Ok(Some(text(value))),
            _ => Ok(None),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Nothing {
        Ok(None)
    }
}

/// Returns the text of an error. An error that is not a string is written as JSON.
fn text<T: Serialize + ?Sized>(error: &T) -> String {
    match serde_json::to_value(error) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(error) => format!("the returned error is not JSON: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn err_is_found_inside_some_and_ok() {
        type Inner = Result<u8, String>;
        let no: Inner = Err("no".to_owned());
        assert_eq!(inner_error(&no).as_deref(), Some("no"));
        assert_eq!(inner_error(&Some(no.clone())).as_deref(), Some("no"));
        let deep: Result<Option<Inner>, ()> = Ok(Some(no));
        assert_eq!(inner_error(&deep).as_deref(), Some("no"));
        let counted: Result<(), (u8, u8)> = Err((1, 2));
        assert_eq!(inner_error(&counted).as_deref(), Some("[1,2]"));
    }

    #[test]
    fn other_values_contain_no_error() {
        #[derive(Serialize)]
        enum Answer {
            Err(String),
        }
        type Inner = Result<u8, String>;
        assert_eq!(inner_error(&Inner::Ok(3)), None);
        assert_eq!(inner_error(&None::<Inner>), None);
        assert_eq!(inner_error(&vec![Inner::Err("no".to_owned())]), None);
        assert_eq!(inner_error(&Answer::Err("no".to_owned())), None);
        assert_eq!(inner_error("no"), None);
    }
}
