//! Policies, as the core writes and reads them: built from the same table as the core's.

use std::borrow::Cow;

use scheduler_core::triggers::policies::{Exclusion, POLICIES, PolicyKind, PolicySpec};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, Object as ObjectSchema, ObjectBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// All policies of a job, with defaults filled in. The shape of the core's `Policies`, which serializes it.
pub(crate) struct PoliciesShape;

impl PartialSchema for PoliciesShape {
    fn schema() -> RefOr<Schema> {
        let mut all = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("All policies of a job, every one decided."));
        for policy in POLICIES {
            let value = value(policy, false);
            all = all.property(policy.name, value).required(policy.name);
        }
        Schema::Object(all.build()).into()
    }
}

impl ToSchema for PoliciesShape {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Policies")
    }
}

/// Some policies; those that are left out are not changed.
pub(crate) struct PolicyPatchShape;

impl PartialSchema for PolicyPatchShape {
    fn schema() -> RefOr<Schema> {
        let mut some = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Some policies; what is left out stays as it is."))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        for policy in POLICIES {
            some = some.property(policy.name, value(policy, true));
        }
        Schema::Object(some.build()).into()
    }
}

impl ToSchema for PolicyPatchShape {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PolicyPatch")
    }
}

/// Returns the schema of one policy's value. In a patch it may be `null`, which is the same as leaving it out.
fn value(policy: &PolicySpec, in_patch: bool) -> ObjectSchema {
    let is = match policy.kind {
        PolicyKind::Count(_) => Type::Integer,
        PolicyKind::Flag => Type::Boolean,
        _ => Type::String,
    };
    let mut value = ObjectBuilder::new()
        .description(Some(description(policy)))
        .schema_type(if in_patch {
            SchemaType::from_iter([is, Type::Null])
        } else {
            SchemaType::new(is)
        });
    match policy.kind {
        PolicyKind::Count(bounds) => {
            value = value
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .minimum(Some(bounds.least))
                .maximum(Some(bounds.most));
        }
        PolicyKind::Name => value = value.min_length(Some(1)).max_length(Some(255)),
        _ => {}
    }
    if in_patch {
        value = value.examples(example(policy));
    }
    value.build()
}

fn description(policy: &PolicySpec) -> String {
    let contradicts = |exclusion: &Exclusion| format!("Contradicts `{}`.", exclusion.other);
    let mut sentences = vec![policy.meaning.to_owned(), policy.kind.form()];
    sentences.extend(policy.excludes.iter().map(contradicts));
    sentences.join(" ")
}

/// Returns a typical value; for a flag its default, so that the examples do not contradict each other.
fn example(policy: &PolicySpec) -> Option<Value> {
    let first = policy.samples.first().copied();
    let text = match policy.kind {
        PolicyKind::Flag => policy.default,
        _ => first.unwrap_or(policy.default),
    };
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use scheduler_core::{Policies, PolicyPatch};

    use super::*;

    #[test]
    fn examples_together_are_taken() {
        let all = POLICIES
            .iter()
            .map(|policy| (policy.name.to_owned(), example(policy).unwrap()));
        let patch: PolicyPatch = serde_json::from_value(Value::Object(all.collect())).unwrap();
        assert!(patch.over(&Policies::default()).is_ok());
    }

    #[test]
    fn counts_have_their_bounds_in_the_document() {
        let schema = serde_json::to_value(PolicyPatchShape::schema()).unwrap();
        let count = &schema["properties"]["max_instances"];
        assert_eq!(
            (&count["minimum"], &count["maximum"]),
            (&1.into(), &u32::MAX.into())
        );
        assert_eq!(count["type"], serde_json::json!(["integer", "null"]));
    }
}
