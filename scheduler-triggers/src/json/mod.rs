//! The JSON form: a map with `type`. Any serde format can be read, as a map or as the text form.

mod entries;

use std::fmt;

use serde_core::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};
use serde_core::ser::{Error as _, Serialize, SerializeMap, Serializer};

use crate::json::entries::Entries;
use crate::kind::FieldValue;
use crate::trigger::Trigger;
use crate::zone::Zone;

impl Serialize for Trigger {
    /// Writes the map, or the text form in binary formats.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_custom() {
            return Err(S::Error::custom(
                "a custom trigger has no stored form; keep its job in a memory store",
            ));
        }
        if !serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.kind())?;
        for (name, value) in self.kind_of().fields() {
            match value {
                FieldValue::Text(text) => map.serialize_entry(name, &text)?,
                FieldValue::Number(number) => map.serialize_entry(name, &number)?,
                FieldValue::Triggers(triggers) => map.serialize_entry(name, triggers)?,
            }
        }
        self.write_options(&mut map)?;
        map.end()
    }
}

impl Trigger {
    fn write_options<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let options = self.kind_of().options();
        if let Some(zone) = options.zone {
            map.serialize_entry("timezone", zone.name())?;
        }
        if let Some(start) = options.bounds.start {
            map.serialize_entry("start", &start.to_string())?;
        }
        if let Some(end) = options.bounds.end {
            // If bounds can only be dates, the keys say so.
            let has_dates = self.kind_of().spec().options.contains(&"end_date");
            let key = if has_dates { "end_date" } else { "end" };
            map.serialize_entry(key, &end.to_string())?;
        }
        if let Some(gap) = options.gap {
            map.serialize_entry("gap", gap.name())?;
        }
        if let Some(fold) = options.fold {
            map.serialize_entry("fold", fold.name())?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(TriggerVisitor)
        } else {
            deserializer.deserialize_str(TriggerVisitor)
        }
    }
}

struct TriggerVisitor;

impl<'de> Visitor<'de> for TriggerVisitor {
    type Value = Trigger;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trigger as a map with `type`, or as text such as `every 5m`")
    }

    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<Trigger, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Trigger, A::Error> {
        let mut entries = Entries::default();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(ValueOf(&key))?;
            entries.add(key, value).map_err(A::Error::custom)?;
        }
        entries.build().map_err(A::Error::custom)
    }
}

/// The value of a key.
#[derive(Debug)]
pub(crate) enum Value {
    Nothing,
    Text(String),
    Triggers(Vec<Trigger>),
    /// A value that no key takes.
    Other,
}

/// Reads the value of a key; only `triggers` has a list of triggers.
struct ValueOf<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for ValueOf<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueOf<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a whole number or a list of triggers")
    }

    fn visit_bool<E: serde_core::de::Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: serde_core::de::Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_u64<E: serde_core::de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_i64<E: serde_core::de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_unit<E: serde_core::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E: serde_core::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        if self.0 != "triggers" {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        }
        let mut triggers = Vec::new();
        while let Some(trigger) = list.next_element()? {
            triggers.push(trigger);
        }
        Ok(Value::Triggers(triggers))
    }

    /// Reads a date of a format with dates, such as TOML, which passes them as a map.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let text = match map.next_key::<String>()? {
            Some(key) if key.starts_with('$') => Value::Text(map.next_value()?),
            Some(_) => {
                map.next_value::<IgnoredAny>()?;
                Value::Other
            }
            None => Value::Other,
        };
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(text)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ZoneVisitor;

        impl Visitor<'_> for ZoneVisitor {
            type Value = Zone;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an IANA time zone such as `Asia/Shanghai`")
            }

            fn visit_str<E: serde_core::de::Error>(self, name: &str) -> Result<Zone, E> {
                name.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(ZoneVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Trigger, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn forms_round_trip() {
        for text in [
            "every 1h 30m start=2026-01-01T00:00:00Z end=2027-01-01T00:00:00Z",
            "cron 0 6 * * mon-fri timezone=Asia/Shanghai gap=skip fold=both",
            "cron day='2nd tue' hour=6",
            "calendar months=1 time=02:30:00 start=2026-01-31 end=2027-01-31",
            "at 2026-12-31T23:59:00Z",
            "at now",
            "and(cron 0 6 * * *; or(cron hour=6; cron hour=7))",
        ] {
            let trigger: Trigger = text.parse().unwrap();
            let json = serde_json::to_string(&trigger).unwrap();
            assert_eq!(read(&json).unwrap(), trigger, "{json}");
            assert_eq!(read(&format!("{text:?}")).unwrap(), trigger);
        }
    }

    #[test]
    fn the_map_is_that_of_the_table() {
        let trigger: Trigger = "cron hour=6 day_of_week=mon-fri timezone=UTC"
            .parse()
            .unwrap();
        assert_eq!(
            serde_json::to_string(&trigger).unwrap(),
            r#"{"type":"cron","day_of_week":"mon-fri","hour":"6","timezone":"UTC"}"#
        );
        let numbers = read(r#"{"hour": 6, "minute": 30, "type": "cron", "end": null}"#).unwrap();
        assert_eq!(numbers.to_string(), "cron hour=6 minute=30");
    }

    #[test]
    fn dates_of_formats_that_have_them_are_taken() {
        // As the crate `toml` passes `at = 2026-12-31T23:59:00`.
        let json = r#"{"type": "date", "at": {"$__toml_private_datetime": "2026-12-31T23:59:00"}}"#;
        assert_eq!(read(json).unwrap().to_string(), "at 2026-12-31T23:59:00");
    }

    #[test]
    fn mistakes_are_named() {
        for (json, part) in [
            (
                r#"{"type": "corn", "expr": "0 6 * * *"}"#,
                "did you mean `cron`",
            ),
            (r#"{"expr": "0 6 * * *"}"#, "`type` is missing"),
            (
                r#"{"type": "cron", "exp": "0 6 * * *"}"#,
                "did you mean `expr`",
            ),
            (r#"{"type": "cron"}"#, "`expr`"),
            (
                r#"{"type": "cron", "expr": "0 6 * * *", "hour": 6}"#,
                "both",
            ),
            (r#"{"type": "interval", "every": 5}"#, "needs a unit"),
            (r#"{"type": "interval"}"#, "`every` is missing"),
            (
                r#"{"type": "interval", "evry": "5m"}"#,
                "did you mean `every`",
            ),
            (
                r#"{"type": "cron", "hour": [6, 18]}"#,
                "`hour` takes a text or a whole number",
            ),
            (r#"{"type": "cron", "hour": 6.5}"#, "`hour` takes"),
            (r#"{"type": "cron", "hour": {"a": [1]}}"#, "`hour` takes"),
            (
                r#"{"type": "cron", "hour": 6, "tz": "UTC"}"#,
                "did you mean `timezone`",
            ),
            (
                r#"{"type": "calendar_interval", "months": -1}"#,
                "`-1` is not a number of months",
            ),
            (
                r#"{"type": "interval", "every": "5m", "every": "6m"}"#,
                "twice",
            ),
            (r#"{"type": "and", "triggers": "5m"}"#, "list"),
            (r#"{"type": "date", "at": "x"}"#, "not a date"),
            (
                r#"{"type": "cron", "expr": "0 6 * * *", "gap": "nxt"}"#,
                "did you mean `next`",
            ),
            (r#"{"type": "custom"}"#, "custom"),
            (r"5", "a trigger as a map"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
