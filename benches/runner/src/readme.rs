//! The tables in `docs/benchmarks.md`, between comments with their names.

use std::error::Error;
use std::path::Path;

use crate::part::{PARTS, Part};
use crate::results::Results;

const END: &str = "<!-- benches: end -->";
const COMMAND: &str = "cargo run --manifest-path benches/Cargo.toml --release -- all";

/// Writes the tables of all measured parts; the other tables are kept.
pub fn write(results: &Results, repository: &Path) -> Result<(), Box<dyn Error>> {
    let path = repository.join("docs/benchmarks.md");
    let mut text = std::fs::read_to_string(&path)?;
    if !results.sections.is_empty() {
        text = replace(&text, "machine", &machines(results))?;
        text = replace(
            &text,
            "chart",
            "![Speed, beside the limit and others](images/speed.svg)",
        )?;
    }
    for part in PARTS
        .iter()
        .filter(|part| results.sections.contains_key(part.name))
    {
        text = replace(&text, part.name, &block(part, results))?;
    }
    Ok(std::fs::write(&path, text)?)
}

/// Returns the table of a measured part.
pub fn block(part: &Part, results: &Results) -> String {
    let table = results.sections.get(part.name).map(part.table);
    table.unwrap_or_default().trim_end().to_owned()
}

/// Describes how and where the parts were measured: one line if all were measured in the same place, otherwise one
/// per place.
fn machines(results: &Results) -> String {
    let mut places: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, section) in &results.sections {
        let runs = section.runs;
        let place = format!(
            "{}; medians of {runs} runs, with the least and the most",
            section.machine
        );
        match places.iter_mut().find(|(other, _)| *other == place) {
            Some((_, names)) => names.push(name),
            None => places.push((place, vec![name])),
        }
    }
    let places: Vec<String> = match places.as_slice() {
        [(place, _)] => vec![place.clone()],
        _ => places
            .iter()
            .map(|(place, names)| format!("{}: {place}", names.join(", ")))
            .collect(),
    };
    format!(
        "`{COMMAND}` on {}; × is the ratio to the limit.",
        places.join("; ")
    )
}

/// Replaces the text between the comments with this name.
fn replace(text: &str, name: &str, with: &str) -> Result<String, String> {
    let begin = format!("<!-- benches: {name} -->");
    let missing = || format!("docs/benchmarks.md has no `{begin}` … `{END}`");
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{with}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::results::Section;

    #[test]
    fn only_what_is_between_the_comments_of_a_name_is_replaced() {
        let text = "a\n<!-- benches: x -->\nold\n<!-- benches: end -->\nb\n<!-- benches: y -->\n<!-- benches: end -->\n";
        let once = replace(text, "x", "new").unwrap();
        assert_eq!(once, text.replace("old", "new"));
        assert_eq!(replace(&once, "x", "new").unwrap(), once);
        assert!(
            replace(text, "z", "new")
                .unwrap_err()
                .contains("benches: z")
        );
    }

    #[test]
    fn each_place_is_named_once() {
        let section = |cpu: &str| Section {
            machine: Machine {
                cpu: cpu.to_owned(),
                ..Machine::default()
            },
            runs: 5,
            ..Section::default()
        };
        let mut results = Results::default();
        results.sections.insert("fires".to_owned(), section("Fast"));
        results.sections.insert("jobs".to_owned(), section("Fast"));
        assert_eq!(machines(&results).matches("Fast").count(), 1);
        results.sections.insert("rate".to_owned(), section("Slow"));
        assert!(machines(&results).contains("fires, jobs: 0 cores of Fast"));
    }
}
