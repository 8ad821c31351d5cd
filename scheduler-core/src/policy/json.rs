//! The JSON form of each policy type.

use std::borrow::Cow;
use std::time::Duration;

use scheduler_triggers::format_duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::text::{PolicyText, limit_text};
use super::{Backoff, Coalesce, Overlap};

/// The JSON form of a policy type. Durations are texts.
pub(super) trait Json: Sized {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Json for Duration {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*self))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl Json for Option<Duration> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&limit_text(*self))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

fn from_text<'de, T: PolicyText, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    T::read(&text).map_err(D::Error::custom)
}

/// Types whose serde form is also the form of the policy.
macro_rules! plain {
    ($($type:ty),+) => {$(
        impl Json for $type {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    )+};
}

plain!(u32, bool, Cow<'static, str>, Coalesce, Overlap, Backoff);

pub(super) fn serialize<T: Json, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

pub(super) fn deserialize<'de, T: Json, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// A policy that may be absent, as in a patch. If it is present, it has a value.
pub(super) mod named {
    use serde::{Deserializer, Serializer};

    use super::Json;

    #[allow(clippy::ref_option)] // the form that serde calls
    pub(in crate::policy) fn serialize<T: Json, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::policy) fn deserialize<'de, T: Json, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        T::read(deserializer).map(Some)
    }
}
