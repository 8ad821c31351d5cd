//! Near misses.

pub(crate) use scheduler_triggers::nearest;

/// The question after a near miss.
pub(crate) fn did_you_mean(near: &str) -> String {
    format!("; did you mean `{near}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_with_what_was_meant_and_anything_else_with_nothing() {
        let keys = ["interval", "retries"];
        assert_eq!(nearest("retires", keys), Some("retries"));
        assert_eq!(nearest("banana", keys), None);
        assert_eq!(did_you_mean("retries"), "; did you mean `retries`?");
    }
}
