//! The table of policies as a module of the page, from which the page builds its form.

use std::sync::OnceLock;

use scheduler_core::triggers::policies::{POLICIES, PolicyKind, PolicySpec};
use serde_json::{Value, json};

/// The name of the file.
pub(crate) const NAME: &str = "policy_table.js";

/// Returns the module. It is created once.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let fields: Value = POLICIES.iter().map(field).collect();
        format!("// name, kind, suggested texts, meaning\nexport const POLICIES = {fields};\n")
    })
}

fn field(policy: &PolicySpec) -> Value {
    let kind = match policy.kind {
        PolicyKind::Count(_) => "number",
        PolicyKind::Flag => "flag",
        _ => "text",
    };
    json!({
        "name": policy.name,
        "kind": kind,
        "suggested": suggested(policy),
        "meaning": policy.meaning.replace('`', ""),
    })
}

/// Returns the default and the samples, for policies with suggestions: not for numbers, nor for names of parts that a
/// service may not have.
fn suggested(policy: &PolicySpec) -> Vec<Value> {
    if !policy.kind.is_text() || matches!(policy.kind, PolicyKind::Name) {
        return Vec::new();
    }
    let mut texts: Vec<Value> = Vec::new();
    for text in [policy.default].iter().chain(policy.samples) {
        if let Ok(text) = serde_json::from_str(text)
            && !texts.contains(&text)
        {
            texts.push(text);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_has_every_policy_with_what_may_be_suggested() {
        let json = text()
            .split_once(" = ")
            .unwrap()
            .1
            .trim_end()
            .trim_end_matches(';');
        let fields: Vec<Value> = serde_json::from_str(json).unwrap();
        assert_eq!(fields.len(), POLICIES.len());
        let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
        assert_eq!(field("retries")["kind"], "number");
        assert_eq!(field("at_most_once")["kind"], "flag");
        assert_eq!(field("executor")["suggested"], json!([]));
        assert_eq!(
            field("overlap")["suggested"],
            json!(["skip", "queue", "queue(5)", "cancel_running"])
        );
        assert_eq!(field("timeout")["suggested"][0], "none");
    }
}
