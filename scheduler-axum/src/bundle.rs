//! The modules of the page as one script, so a slow connection needs one response instead of thirty.
//!
//! Each module becomes a function that returns its exports, above the modules that import it. A test checks for every
//! module what this relies on: an import is on one line and lists the imported names, and no two modules import each
//! other.

use std::collections::BTreeSet;
use std::fmt::Write;

/// Joins a module and all its imports. `source` returns the text of a module by its file name.
pub(crate) fn join<'a>(entry: &'a str, source: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut bundle = Bundle {
        source,
        known: BTreeSet::new(),
        script: String::new(),
    };
    bundle.add(entry);
    bundle.script
}

struct Bundle<'a, F> {
    source: F,
    known: BTreeSet<&'a str>,
    script: String,
}

impl<'a, F: Fn(&str) -> Option<&'a str>> Bundle<'a, F> {
    fn add(&mut self, name: &'a str) {
        if !self.known.insert(name) {
            return;
        }
        let text = (self.source)(name).unwrap_or_default();
        let imports = text.lines().filter_map(import);
        imports.clone().for_each(|(_, from)| self.add(from));

        let script = &mut self.script;
        let _ = writeln!(script, "const {} = (() => {{", constant(name));
        for (names, from) in imports {
            let _ = writeln!(script, "const {{{names}}} = {};", constant(from));
        }
        let mut exports = Vec::new();
        for line in text.lines().filter(|line| !is_left_out(line)) {
            let line = line.trim_start();
            let Some(declaration) = line.strip_prefix("export ") else {
                let _ = writeln!(script, "{line}");
                continue;
            };
            exports.extend(declared(declaration));
            let _ = writeln!(script, "{declaration}");
        }
        let _ = writeln!(script, "return {{ {} }};\n}})();", exports.join(", "));
    }
}

/// Returns the names that a line imports, and the file they come from.
fn import(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("import {")?;
    let (names, from) = line.split_once("} from \"./")?;
    Some((names, from.strip_suffix("\";")?))
}

/// Imports have been replaced, and comments are only for readers of the source files.
fn is_left_out(line: &str) -> bool {
    let begins_with = |text| line.trim_start().starts_with(text);
    import(line).is_some()
        || begins_with("//")
        || begins_with("/**")
        || begins_with("* ")
        || begins_with("*/")
}

/// Returns the name that a declaration introduces.
fn declared(declaration: &str) -> Option<&str> {
    let mut words = declaration.split(|character: char| {
        !(character.is_ascii_alphanumeric() || character == '_' || character == '$')
    });
    words.find(|word| !matches!(*word, "" | "async" | "function" | "const" | "class"))
}

/// Returns the constant that holds the exports of a module.
fn constant(name: &str) -> String {
    format!("${}", name.trim_end_matches(".js"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_stand_above_those_that_import_them() {
        let source = |name: &str| match name {
            "a.js" => Some(
                "// A.\nimport { b, c } from \"./b.js\";\nimport { d } from \"./d.js\";\n\n  b(c, d);\n",
            ),
            "b.js" => Some(
                "import { d } from \"./d.js\";\nexport async function b() { return d; }\nexport const c = 1;\n",
            ),
            "d.js" => Some("/** D. */\nexport class d {}\nlet c = 2;\n"),
            _ => None,
        };
        let expected = "const $d = (() => {\nclass d {}\nlet c = 2;\nreturn { d };\n})();\n\
             const $b = (() => {\nconst { d } = $d;\nasync function b() { return d; }\nconst c = 1;\nreturn { b, c };\n})();\n\
             const $a = (() => {\nconst { b, c } = $b;\nconst { d } = $d;\n\nb(c, d);\nreturn {  };\n})();\n";
        assert_eq!(join("a.js", source), expected);
    }
}
