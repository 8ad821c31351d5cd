//! The schema of triggers, which are given as text or as a map with `type`.

use std::borrow::Cow;

use scheduler_core::Trigger;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// The longest text of a trigger, in bytes; the core's limit.
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
