//! Reading any self-describing format into JSON, detecting duplicate keys in objects.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{FieldError, FieldErrors, FieldProblem, Fields};

/// The only key of the map that the `toml` crate uses to represent a date.
const TOML_DATE: &str = "$__toml_private_datetime";

/// The same for a number of `serde_json`, if any crate of the program enables `arbitrary_precision`.
const PRECISE_NUMBER: &str = "$serde_json::private::Number";

/// Reads any value. A value that is not an object is recorded among the errors, so that this fails only for data that
/// cannot be read at all.
impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut errors = FieldErrors::default();
        let seed = OnceEach {
            place: Place::Whole,
            errors: &mut errors,
        };
        let object = match seed.deserialize(deserializer)? {
            Value::Object(object) => object,
            other => {
                errors.push(|| FieldError::new("", FieldProblem::wrong_type("an object", &other)));
                Map::new()
            }
        };
        Ok(Self {
            errors,
            ..Self::new(object)
        })
    }
}

/// The path of a value in the data. It is written out only for errors, because a long name around many values would
/// fill the memory.
#[derive(Clone, Copy)]
enum Place<'a> {
    Whole,
    Entry(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Entry(Self::Whole, name) => f.write_str(name),
            Self::Entry(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Reads any value. It does not guess which of two values under the same key was meant.
struct OnceEach<'a> {
    place: Place<'a>,
    errors: &'a mut FieldErrors,
}

impl OnceEach<'_> {
    /// Reports a number that JSON cannot represent, and returns its replacement.
    fn not_a_number(&mut self, written: &dyn fmt::Display) -> Value {
        let place = self.place;
        self.errors.push(|| {
            let message = format!(
                "expected a finite number, not `{written}`: write a number that fits in 64 bits, or text"
            );
            FieldError::new(place.to_string(), FieldProblem::invalid(message))
        });
        Value::Null
    }
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
        f.write_str("a value that JSON has")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
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

    fn visit_f64<E>(mut self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        Ok(number.unwrap_or_else(|| self.not_a_number(&value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(OnceEach {
            place: Place::Item(&self.place, values.len()),
            errors: self.errors,
        })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = Place::Entry(&self.place, &key);
            if entries.contains_key(&key) {
                self.errors
                    .push(|| FieldError::new(place.to_string(), FieldProblem::Repeated));
            }
            let value = map.next_value_seed(OnceEach {
                place,
                errors: self.errors,
            })?;
            entries.insert(key, value);
        }
        // With other keys beside it, it is an object that a user wrote.
        if entries.len() == 1 {
            if let Some(date @ Value::String(_)) = entries.get_mut(TOML_DATE) {
                return Ok(date.take());
            }
            if let Some(Value::String(written)) = entries.get(PRECISE_NUMBER) {
                let number = written.parse().map(Value::Number);
                return Ok(number.unwrap_or_else(|_| self.not_a_number(written)));
            }
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    fn wrong(json: &str) -> Vec<String> {
        let fields = read(json);
        let errors = fields.errors().iter();
        errors.map(|error| error.field.clone()).collect()
    }

    #[test]
    fn repeated_keys_are_found_at_any_depth() {
        assert_eq!(wrong(r#"{"a": 1, "a": 2}"#), ["a"]);
        assert_eq!(wrong(r#"{"a": [{"b": {"c": 1, "c": 1}}]}"#), ["a[0].b.c"]);
        assert!(wrong(r#"{"a": {"x": 1}, "b": {"x": 1}}"#).is_empty());
    }

    #[test]
    fn data_without_fields_is_an_error_of_the_whole() {
        for json in ["[]", "1", "null", "\"a\"", "true"] {
            assert_eq!(wrong(json), [""], "{json}");
        }
    }

    #[test]
    fn errors_do_not_outgrow_the_data() {
        let name = "k".repeat(60_000);
        let repeated = "\"a\": 1,".repeat(20_000);
        let json = format!("{{\"{name}\": {{{repeated}\"a\": 1}}}}");
        assert_eq!(wrong(&json).len(), 50);
        let items = format!(
            "{{\"{name}\": [{}1], \"b\": 1, \"b\": 2}}",
            "1,".repeat(60_000)
        );
        assert_eq!(wrong(&items), ["b"]);
    }

    #[test]
    fn integers_of_64_bits_are_unchanged() {
        let json = format!("{{\"most\":{},\"least\":{}}}", u64::MAX, i64::MIN);
        let mut fields = read(&json);
        assert_eq!(fields.take("most"), Some(u64::MAX.into()));
        assert_eq!(fields.take("least"), Some(i64::MIN.into()));
    }

    #[test]
    fn dates_of_toml_are_texts() {
        let mut fields: Fields =
            toml::from_str("on = 2026-12-31\nat = [2026-12-31T23:59:00Z]").unwrap();
        assert_eq!(fields.take("on"), Some("2026-12-31".into()));
        assert_eq!(fields.take("at"), Some(vec!["2026-12-31T23:59:00Z"].into()));
    }

    #[test]
    fn numbers_of_arbitrary_precision_are_numbers() {
        let mut fields =
            read(r#"{"count": {"$serde_json::private::Number": "18446744073709551615"}}"#);
        assert_eq!(fields.take("count"), Some(u64::MAX.into()));
    }

    #[test]
    fn numbers_outside_json_are_refused_by_name() {
        let fields: Fields = toml::from_str("[arguments]\nrate = nan\nsum = inf").unwrap();
        let errors: Vec<String> = fields.errors().iter().map(ToString::to_string).collect();
        assert!(errors[0].starts_with("`arguments.rate`: expected a finite number, not `NaN`"));
        assert!(errors[1].starts_with("`arguments.sum`: expected a finite number, not `inf`"));
        let json = r#"{"a": [{"$serde_json::private::Number": "many"}]}"#;
        assert_eq!(wrong(json), ["a[0]"]);
    }

    #[test]
    fn marker_beside_other_keys_is_a_key() {
        for marker in [TOML_DATE, PRECISE_NUMBER] {
            let json = format!(r#"{{"a": {{"{marker}": "7", "other": 1}}}}"#);
            let mut fields = read(&json);
            let expected = serde_json::json!({marker: "7", "other": 1});
            assert_eq!(fields.take("a"), Some(expected), "{marker}");
        }
    }
}
