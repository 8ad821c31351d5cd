//! Triggers, as text or as a map with `type`.

use std::borrow::Cow;

use scheduler_core::{Trigger, Zone};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::object::{Object, kind};

/// Longest text of a trigger, in bytes; the core's own bound.
const MAX_TEXT: usize = 65_536;

/// The schema of a trigger in a request.
pub(crate) struct TriggerShape;

impl PartialSchema for TriggerShape {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .min_length(Some(1))
            .max_length(Some(MAX_TEXT))
            .description(Some(
                "The text form: `every 1h 30m`, `cron 0 6 * * mon-fri timezone=Europe/Berlin`, \
                 `calendar months=1 time=02:30`, `at 2026-12-31T23:59:00Z`, `0 6 * * *`, `@daily`, …",
            ))
            .examples(["cron 0 9 * * mon-fri timezone=Europe/Berlin"]);
        let map = ObjectBuilder::new()
            .property(
                "type",
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .enum_values(Some(Trigger::kinds())),
            )
            .required("type")
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .description(Some("The JSON form."));
        OneOfBuilder::new()
            .description(Some("When a job fires."))
            .item(text)
            .item(map)
            .into()
    }
}

impl ToSchema for TriggerShape {
    fn name() -> Cow<'static, str> {
        "Trigger".into()
    }
}

/// Takes `trigger` and `timezone` out of a body.
pub(crate) fn take(body: &mut Object) -> Option<Trigger> {
    let zone = take_zone(body);
    let is_text = match body.take("trigger") {
        None => {
            if zone.is_some() {
                let message = "it belongs to a trigger, and there is none: give both";
                body.wrong("timezone", message);
            }
            return None;
        }
        Some(value @ (Value::String(_) | Value::Object(_))) => {
            let is_text = value.is_string();
            match serde_json::from_value::<Trigger>(value) {
                Ok(trigger) => (trigger, is_text),
                Err(error) => {
                    body.wrong("trigger", error.to_string());
                    return None;
                }
            }
        }
        Some(other) => {
            let message = format!(
                "it has to be text such as `every 5m` or an object with `type`, not {}",
                kind(&other)
            );
            body.wrong("trigger", message);
            return None;
        }
    };
    let (trigger, is_text) = is_text;
    let Some(zone) = zone else {
        return Some(trigger);
    };
    let refused = if !is_text {
        "a trigger in the JSON form has its own `timezone`: write it there".to_owned()
    } else if let Some(own) = trigger.zone() {
        format!("the trigger says `timezone={own}` itself: leave one of the two out")
    } else {
        match trigger.timezone(zone) {
            Ok(trigger) => return Some(trigger),
            Err(error) => error.to_string(),
        }
    };
    body.wrong("timezone", refused);
    None
}

fn take_zone(body: &mut Object) -> Option<Zone> {
    let name = body.text("timezone", 255)?;
    match name.parse() {
        Ok(zone) => Some(zone),
        Err(error) => {
            body.wrong("timezone", error.to_string());
            None
        }
    }
}
