//! JSON Schema of a task's arguments, from the types as they are written in the code.
//!
//! Only the names of types are known. A name of the standard library is taken to be that type; for other types the
//! schema contains only the name.

use scheduler_core::ParameterInfo;
use serde_json::{Map, Value, json};

/// Returns the schema of `arguments`: an object with one property per parameter.
pub(crate) fn arguments_schema(parameters: &[ParameterInfo]) -> Value {
    let properties: Map<String, Value> = parameters
        .iter()
        .map(|parameter| {
            let mut schema = of(parameter.type_name);
            if parameter.secret {
                schema["writeOnly"] = Value::Bool(true);
            }
            (parameter.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| parameter.name)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Returns the schema of one type.
fn of(written: &str) -> Value {
    known(written, 0).unwrap_or_else(|| json!({ "x-rust-type": written }))
}

/// The maximum depth of nested types.
const MAX_DEPTH: usize = 16;

/// Returns the schema of a known type; `None` for a type of which only the name is known.
fn known(written: &str, depth: usize) -> Option<Value> {
    let written = written.trim();
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(target) = written.strip_prefix('&') {
        return known(without_lifetime(target)?, depth + 1);
    }
    if let Some(list) = between(written, '[', ']') {
        return array(list, depth);
    }
    if let Some(parts) = between(written, '(', ')') {
        return Some(tuple(&split(parts), depth));
    }
    named(written, depth)
}

/// As [`known`], for a type inside another one: returns only the name of an unknown type.
fn inner(written: &str, depth: usize) -> Value {
    known(written, depth + 1).unwrap_or_else(|| json!({ "x-rust-type": written }))
}

fn between(written: &str, open: char, close: char) -> Option<&str> {
    written.strip_prefix(open)?.strip_suffix(close)
}

/// `&'static str` and `&str` are text; a task cannot take other borrowed values as arguments.
fn without_lifetime(target: &str) -> Option<&str> {
    let target = target.trim_start();
    match target.strip_prefix('\'') {
        Some(lifetime) => Some(lifetime.split_once(' ')?.1),
        None => Some(target),
    }
}

/// Returns the schema of an array `item; count`, whose count may be the name of a constant.
fn array(list: &str, depth: usize) -> Option<Value> {
    let (item, count) = list.rsplit_once(';')?;
    let item = inner(item.trim(), depth);
    Some(match count.trim().parse::<usize>() {
        Ok(count) => {
            json!({ "type": "array", "items": item, "minItems": count, "maxItems": count })
        }
        Err(_) => list_of(item),
    })
}

fn tuple(parts: &[&str], depth: usize) -> Value {
    if parts.is_empty() {
        return json!({ "type": "null" });
    }
    let items: Vec<Value> = parts.iter().map(|part| inner(part, depth)).collect();
    let count = items.len();
    json!({
        "type": "array", "prefixItems": items, "minItems": count, "maxItems": count,
    })
}

/// Returns the schema of a type with a path, and optional type parameters.
fn named(written: &str, depth: usize) -> Option<Value> {
    let (path, parts) = match written.strip_suffix('>') {
        Some(open) => {
            let (path, parts) = open.split_once('<')?;
            (path.trim(), split(parts))
        }
        None => (written, Vec::new()),
    };
    let inner = |text: &str| inner(text, depth);
    let name = path.rsplit("::").next()?.trim();
    match (name, parts.as_slice()) {
        ("Option", [item]) => Some(json!({ "anyOf": [inner(item), { "type": "null" }] })),
        ("Vec" | "VecDeque" | "LinkedList", [item]) => Some(list_of(inner(item))),
        ("Box" | "Arc" | "Rc", [item]) => match slice(item) {
            Some(item) => Some(list_of(inner(item))),
            None => known(item, depth + 1),
        },
        ("Reverse" | "Wrapping" | "Cow", [item]) | ("Cow", [_, item]) => known(item, depth + 1),
        ("HashSet" | "BTreeSet", [item, ..]) => {
            Some(json!({ "type": "array", "items": inner(item), "uniqueItems": true }))
        }
        ("HashMap" | "BTreeMap", [key, value, ..]) if is_text(key) => {
            Some(json!({ "type": "object", "additionalProperties": inner(value) }))
        }
        ("Map", [key, value]) if is_text(key) && value.trim().ends_with("Value") => {
            Some(json!({ "type": "object" }))
        }
        ("DateTime", [_]) => Some(json!({ "type": "string", "format": "date-time" })),
        (_, []) => plain(name),
        _ => None,
    }
}

fn list_of(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

/// Returns the item type of a slice: `str` in `[str]`.
fn slice(written: &str) -> Option<&str> {
    let item = between(written.trim(), '[', ']')?;
    Some(item.trim()).filter(|item| !item.contains(';'))
}

fn is_text(written: &str) -> bool {
    known(written, MAX_DEPTH).is_some_and(|schema| schema["type"] == "string")
}

fn plain(name: &str) -> Option<Value> {
    let whole = |least: i128, most: u128| {
        // Beyond 64 bits, JSON readers do not agree on the bounds of numbers.
        let mut schema = json!({ "type": "integer" });
        if let Ok(least) = i64::try_from(least) {
            schema["minimum"] = least.into();
        }
        if let Ok(most) = u64::try_from(most) {
            schema["maximum"] = most.into();
        }
        Some(schema)
    };
    match name {
        "bool" => Some(json!({ "type": "boolean" })),
        "i8" => whole(i8::MIN.into(), i8::MAX.unsigned_abs().into()),
        "i16" => whole(i16::MIN.into(), i16::MAX.unsigned_abs().into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        "i64" | "isize" => whole(i64::MIN.into(), i64::MAX.unsigned_abs().into()),
        "i128" => whole(i128::MIN, u128::MAX),
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "u64" | "usize" => whole(0, u64::MAX.into()),
        "u128" => whole(0, u128::MAX),
        "NonZeroU8" => whole(1, u8::MAX.into()),
        "NonZeroU16" => whole(1, u16::MAX.into()),
        "NonZeroU32" => whole(1, u32::MAX.into()),
        "NonZeroU64" | "NonZeroUsize" => whole(1, u64::MAX.into()),
        "f32" | "f64" => Some(json!({ "type": "number" })),
        "String" | "str" | "PathBuf" | "Path" | "NaiveTime" | "NaiveDateTime" | "IpAddr" => {
            Some(json!({ "type": "string" }))
        }
        "char" => Some(json!({ "type": "string", "minLength": 1, "maxLength": 1 })),
        // As serde serializes them.
        "Duration" => Some(json!({
            "type": "object",
            "properties": {
                "secs": { "type": "integer", "minimum": 0, "maximum": u64::MAX },
                "nanos": { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            },
            "required": ["secs", "nanos"],
        })),
        "NaiveDate" => Some(json!({ "type": "string", "format": "date" })),
        "Uuid" => Some(json!({ "type": "string", "format": "uuid" })),
        "Url" => Some(json!({ "type": "string", "format": "uri" })),
        "Ipv4Addr" => Some(json!({ "type": "string", "format": "ipv4" })),
        "Ipv6Addr" => Some(json!({ "type": "string", "format": "ipv6" })),
        "Value" => Some(json!({})),
        _ => None,
    }
}

/// Splits a text at the commas outside all brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, character) in text.char_indices() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_are_well_known() {
        for (written, expected) in [
            ("bool", json!({"type": "boolean"})),
            (
                "u8",
                json!({"type": "integer", "minimum": 0, "maximum": 255}),
            ),
            (
                "i8",
                json!({"type": "integer", "minimum": -128, "maximum": 127}),
            ),
            (
                "i64",
                json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX}),
            ),
            (
                "u64",
                json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
            ),
            ("i128", json!({"type": "integer"})),
            ("u128", json!({"type": "integer", "minimum": 0})),
            ("f64", json!({"type": "number"})),
            ("String", json!({"type": "string"})),
            ("std::string::String", json!({"type": "string"})),
            ("&str", json!({"type": "string"})),
            ("&'static str", json!({"type": "string"})),
            ("Cow<'static, str>", json!({"type": "string"})),
            ("Arc<str>", json!({"type": "string"})),
            (
                "char",
                json!({"type": "string", "minLength": 1, "maxLength": 1}),
            ),
            (
                "Option<bool>",
                json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
            ),
            (
                "Vec<Vec<bool>>",
                json!({"type": "array", "items": {"type": "array", "items": {"type": "boolean"}}}),
            ),
            (
                "Box<[bool]>",
                json!({"type": "array", "items": {"type": "boolean"}}),
            ),
            (
                "[bool; 3]",
                json!({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3}),
            ),
            (
                "HashMap<String, bool>",
                json!({"type": "object", "additionalProperties": {"type": "boolean"}}),
            ),
            (
                "std::collections::BTreeMap<String, Vec<bool>>",
                json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "boolean"}}}),
            ),
            (
                "(bool, String)",
                json!({"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
            ),
            ("()", json!({"type": "null"})),
            (
                "DateTime<Utc>",
                json!({"type": "string", "format": "date-time"}),
            ),
            (
                "chrono::NaiveDate",
                json!({"type": "string", "format": "date"}),
            ),
            ("serde_json::Value", json!({})),
            (
                "Vec<Order>",
                json!({"type": "array", "items": {"x-rust-type": "Order"}}),
            ),
        ] {
            assert_eq!(of(written), expected, "{written}");
        }
    }

    #[test]
    fn of_other_types_only_the_name_is_reported() {
        let deep = format!("{}bool{}", "Vec<".repeat(100), ">".repeat(100));
        for written in [
            "Order",
            "my::Id",
            "HashMap<u32, bool>",
            "Wrapper<String>",
            "",
            "<",
            ">",
            "Option<",
            "&'a",
            "(",
            "[bool]",
            "fn(u8) -> u8",
        ] {
            assert_eq!(of(written), json!({"x-rust-type": written}), "{written}");
        }
        assert!(of(&deep).to_string().contains("x-rust-type"));
    }
}
