//! Durations as text ("5m") in serde forms, and as `"none"` where a policy may be absent.

use std::time::Duration;

use scheduler_triggers::{format_duration, parse_duration};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(super) mod required {
    use super::{
        Deserialize, Deserializer, Duration, Error, Serializer, format_duration, parse_duration,
    };

    pub(in crate::policy) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*value))
    }

    pub(in crate::policy) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map_err(D::Error::custom)
    }
}

/// `"none"` or a duration.
pub(super) mod limit {
    use super::{
        Deserialize, Deserializer, Duration, Error, Serializer, format_duration, parse_duration,
    };

    #[allow(clippy::ref_option)] // the form that serde calls
    pub(in crate::policy) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(limit) => serializer.serialize_str(&format_duration(*limit)),
            None => serializer.serialize_str("none"),
        }
    }

    pub(in crate::policy) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "none" {
            return Ok(None);
        }
        parse_duration(&text).map(Some).map_err(D::Error::custom)
    }
}
